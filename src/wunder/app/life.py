"""A gateway's life: open what it stands on, serve until a signal, or stay offline for one command."""

import asyncio
import gc
import os
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import uvloop

from wunder import __version__
from wunder.accounts.keyring import open_keyring
from wunder.api.asgi import App
from wunder.api.listener import listener
from wunder.app.console import ANY_HOST
from wunder.app.gateway import Gateway
from wunder.app.stores import open_chosen
from wunder.app.welcome import welcome
from wunder.config import Config
from wunder.errors import StoreBroken
from wunder.observe import logs
from wunder.observe.clock import SharedClock
from wunder.plugins.launch import this_host
from wunder.store.data_dir import DirLock
from wunder.store.schema import migrations

log = logs.get_logger(__name__)
RUN_FILE = Path("run", "cli.json")
#: What the listener, the plugins' pipes and the store may need together (Debian's soft limit: 1,024).
OPEN_FILES = 16_384
#: New objects between two looks for cycles. A message makes hundreds and leaves none: at the usual
#: 700 looking took 5 % of the gateway's CPU (measured, 64 in flight).
_LOOK_FOR_CYCLES_AFTER = 20_000


def serve(config: Config) -> None:
    """Run the gateway until a signal ends it.

    Raises:
        WunderError: it cannot start, or its store broke; the message says what to do.
    """
    logs.configure(config.gateway.log_level, config.gateway.log_json)
    _raise_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config))


def _raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broken: list[StoreBroken] = []

    def on_fatal(error: StoreBroken) -> None:
        broken.append(error)
        stop.set()

    async with _opened(config, on_fatal) as gateway:
        _settle_down()
        server = listener(
            gateway.app,
            config.server.host,
            config.server.port,
            config.api,
            gateway.app.take_webhook,
        )
        url = f"http://{_url_host(config.server.host)}:{server.port}"
        gateway.own_url = gateway.own_url or url
        run_file = _write_run_file(config.data_dir, url, gateway.desks.tokens.admit_this_run())
        has_people = not await gateway.console.people.users.nobody_yet()
        setup_file = await gateway.desks.tokens.offer_setup(has_people=has_people)
        system, schema = this_host().name, migrations()[-1].number
        await gateway.members.introduce(url, system, schema)
        log.info("gateway_started", url=url, version=__version__, setup_token_file=setup_file or "")
        welcome(gateway.own_url, config.data_dir, is_first=setup_file is not None)
        try:
            await gateway.run(server, stop)
        finally:
            run_file.unlink(missing_ok=True)
            if not broken:
                await gateway.members.say("stopped")
    log.info("gateway_stopped")
    if broken:
        raise broken[0]


def is_in_use(config: Config) -> bool:
    """Tell whether a gateway, or a command, holds the data directory now."""
    return DirLock(config.data_dir).is_held()


@asynccontextmanager
async def offline(config: Config) -> AsyncIterator[tuple[App, str]]:
    """Open the store without a listener; the API as an ASGI app, and a token for it.

    Plugins are not started for traffic; a command may start one for a moment (enable's preflight).
    """
    logs.configure("error", config.gateway.log_json)
    async with _opened(config, lambda error: None) as gateway, asyncio.TaskGroup() as tg:
        parts = (gateway.store.run(), gateway.channels.host.run(), gateway.upkeep.run())
        tasks = [tg.create_task(part) for part in parts]
        yield gateway.app, gateway.desks.tokens.admit_this_run()
        for task in reversed(tasks):
            task.cancel()


@asynccontextmanager
async def _opened(
    config: Config, on_fatal: Callable[[StoreBroken], None]
) -> AsyncIterator[Gateway]:
    clock = SharedClock()
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    credentials_dir = Path(credentials) if credentials else None
    store = await open_chosen(config, clock, on_fatal, credentials_dir)
    try:
        keyring = await open_keyring(
            config.data_dir,
            store.key_check,
            holds_ciphertext=await store.key_check.holds_ciphertext(),
            credentials_dir=credentials_dir,
        )
        gateway = Gateway(config, store, keyring, clock)
        await gateway.load()
        try:
            yield gateway
        finally:
            await gateway.close()
    finally:
        await store.close()


def _settle_down() -> None:
    """Take what is loaded by now for permanent, and look for cycles less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_LOOK_FOR_CYCLES_AFTER, 20, 20)


def _url_host(host: str) -> str:
    if host in ANY_HOST:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _write_run_file(data_dir: Path, url: str, token: str) -> Path:
    """Leave address and token of this run for the CLI, readable by its owner only."""
    path = data_dir / RUN_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = path.with_suffix(".new")
    with suppress(FileNotFoundError):
        staged.unlink()
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(msgspec.json.encode({"url": url, "token": token}))
    staged.rename(path)
    return path
