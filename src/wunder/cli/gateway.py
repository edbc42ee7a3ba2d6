"""Which gateway a command speaks to: a named one, the one that runs here, or the store itself."""

import json
import os
import stat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wunder.cli.client import Client, Exchange
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.global_options import GlobalOptions
from wunder.cli.http_transport import HttpTransport

#: Where a running gateway leaves its address and a token, readable by its owner only.
RUN_FILE = Path("run", "cli.json")
DEFAULT_DATA_DIR = "data"
_PROBE_S = 3.0


def connect(options: GlobalOptions) -> Client:
    """Return a client of the gateway that the options mean.

    Raises: CommandFailed, when there is none and the store cannot be opened either.
    """
    if options.url:
        return _named(options)
    running = running_gateway(options)
    return running if running is not None else _offline(options)


def running_gateway(options: GlobalOptions) -> Client | None:
    """Return a client of the gateway that runs on this data directory, None where none does.

    Raises: CommandFailed, when others could have written its run file.
    """
    run_file = data_dir(options) / RUN_FILE
    try:
        written = _read_own(run_file)
    except FileNotFoundError:
        return None
    url = str(written.get("url", ""))
    if not _answers(url):
        return None
    token = _token(options) if options.token_file else str(written.get("token", ""))
    return Client(HttpTransport(url), token, options.lang)


def data_dir(options: GlobalOptions) -> Path:
    """Return the data directory that the options mean, absolute; reads the config file if there is one.

    Raises: CommandFailed, when the config file is wrong.
    """
    if options.data_dir:
        return Path(options.data_dir).absolute()
    if named := os.environ.get("WUNDER_DATA_DIR"):
        return Path(named).absolute()
    if config_path(options) is None:
        return Path(DEFAULT_DATA_DIR).absolute()
    return Path(loaded_config(options).data_dir)


def config_path(options: GlobalOptions) -> Path | None:
    """Return the config file that the options mean, None where there is none."""
    named = options.config or os.environ.get("WUNDER_CONFIG", "")
    return Path(named) if named else None


def loaded_config(options: GlobalOptions) -> Any:
    """Return the settings. Raises: CommandFailed, naming the setting."""
    from wunder.config import load_config
    from wunder.errors import ConfigInvalid

    try:
        return load_config(config_path(options), os.environ, options.overrides)
    except ConfigInvalid as error:
        raise bad_usage(error.detail) from error


def named_transport(url: str) -> HttpTransport:
    """Return the way to a gateway that a person named. Raises: CommandFailed, also for a way in the clear."""
    transport = HttpTransport(url)
    parts = urlsplit(url)
    is_here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme == "http" and not is_here:
        raise bad_usage(
            "a token would cross the network in the clear", "use https, or an SSH tunnel to it"
        )
    return transport


def _named(options: GlobalOptions) -> Client:
    if not options.token_file:
        raise bad_usage("--url needs --token-file", "make one with `wunder token create`")
    return Client(named_transport(options.url), _token(options), options.lang)


def _token(options: GlobalOptions) -> str:
    path = Path(options.token_file)
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise bad_usage("the token file cannot be read", where=str(path)) from error
    if not token or not token.isprintable() or " " in token:
        raise bad_usage("the token file holds no token", where=str(path))
    return token


def _read_own(path: Path) -> dict[str, Any]:
    """Read a file that only its owner may have written."""
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        is_mine = facts.st_uid in {os.geteuid(), 0}
        if not is_mine or stat.S_IMODE(facts.st_mode) & 0o077:
            raise CommandFailed(
                "others can read or write the gateway's run file, so it is not trusted",
                where=str(path),
                advice=("delete it and start the gateway again",),
            )
        try:
            written = json.load(file)
        except ValueError:
            written = None
    if not isinstance(written, dict):
        raise CommandFailed(
            "the gateway's run file is damaged",
            where=str(path),
            advice=("delete it and start the gateway again",),
        )
    return written


def _answers(url: str) -> bool:
    """Tell a gateway that runs from one that was killed and left its run file behind."""
    transport = HttpTransport(url, _PROBE_S)
    try:
        return transport.exchange(Exchange("GET", "/healthz", {}, (), 0)).status == 200
    except CommandFailed:
        return False
    finally:
        transport.close()


def _offline(options: GlobalOptions) -> Client:
    """Open the store under the lock of its data directory."""
    from wunder.app.life import is_in_use, offline
    from wunder.cli.asgi_transport import AsgiTransport
    from wunder.errors import WunderError

    config = loaded_config(options)
    try:
        transport = AsgiTransport(offline(config), str(config.data_dir))
    except WunderError as error:
        # Who was killed left its run file behind, and nobody to blame.
        is_held = (data_dir(options) / RUN_FILE).exists() and is_in_use(config)
        raise CommandFailed(
            error.detail,
            where=str(config.data_dir),
            advice=("a gateway that runs there does not answer: look at its log",)
            if is_held
            else (),
            document={"code": error.code},
        ) from error
    return Client(transport, transport.token, options.lang)
