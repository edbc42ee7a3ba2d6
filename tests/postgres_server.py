"""A private PostgreSQL for a test session: a socket in a temporary folder, one database a store."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from wunder.model.ids import new_id
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.migrations import migrate

#: Where Debian, Ubuntu, Fedora and Homebrew put the server's programs.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
SYNCFS = 14
OLDEST = 13  # older servers get no fixes any more
#: Safe as a real one, but small: a session of tests writes little.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
}
TEMPLATE = "wunder_template"


def binaries() -> Path | None:
    """The folder of the newest server found on this machine."""
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    for place in PLACES:
        top, _, rest = place.partition("*")
        found += sorted(Path(top).parent.glob(Path(top).name + "*" + rest), reverse=True)
    return next((bin_dir for bin_dir in found if _is_new_enough(bin_dir)), None)


def _is_new_enough(bin_dir: Path) -> bool:
    if not all((bin_dir / name).exists() for name in ("initdb", "pg_isready")):
        return False
    try:
        return _version(bin_dir) >= OLDEST
    except (OSError, subprocess.CalledProcessError):
        return False


def _version(bin_dir: Path) -> int:
    said = subprocess.run(
        [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return int(said.stdout.split()[2].split(".")[0])


class PostgresServer:
    """One server. `stop`, `kill` and `start` again keep its data."""

    def __init__(self, bin_dir: Path, parent: Path = Path("/tmp")) -> None:
        self.bin = bin_dir
        # Short: the path of a socket has at most 107 bytes.
        self.dir = Path(tempfile.mkdtemp(prefix="wpg", dir=parent))
        self.data = self.dir / "data"
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self._free: list[str] = []
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self.dir, account.pw_uid, account.pw_gid)
        os.chmod(self.dir, 0o755)
        self._run(
            "initdb", "-D", self.data, "-U", "wunder", "-A", "trust", "-E", "UTF8", "--no-sync"
        )

    def start(self) -> None:
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        if sys.platform == "linux" and _version(self.bin) >= SYNCFS:
            # After a crash every file is synced: 300 a database, half a minute on a busy disk.
            settings.append("-crecovery_init_sync_method=syncfs")
        with (self.dir / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-k", self.dir, *settings],
                stdout=log,
                stderr=log,
                user=self._user,
                extra_groups=[] if self._user else None,
                cwd=self.dir,
                start_new_session=True,
            )
        for _ in range(600):
            if self._process.poll() is None and self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError((self.dir / "log").read_text("utf-8", "replace")[-2000:])

    def _answers(self) -> bool:
        asked = [self.bin / "pg_isready", "-q", "-h", self.dir, "-U", "wunder", "-d", "postgres"]
        return subprocess.run(asked, check=False).returncode == 0

    def stop(self) -> None:
        """End at once, as a power cut would: what was committed must be there at the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # immediate shutdown
            self._process.wait(30)
            self._process = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL the server and all its processes, as the kernel does when memory is out."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        for one in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._process.wait(30)
        self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://wunder@/{database}?host={self.dir}"

    async def lend_database(self) -> str:
        """A database with the schema and nothing in it; its URL. Emptying one is faster than making one."""
        if not self._free:
            return await self.new_database()
        url = self._free.pop()
        conn = await asyncpg.connect(url)
        try:
            tables = await conn.fetch(
                "SELECT relname FROM pg_stat_user_tables WHERE relname <> 'meta'"
            )
            await conn.execute(";".join(f"DELETE FROM {row[0]}" for row in tables))
            await conn.execute("DELETE FROM meta WHERE key <> 'schema_version'")
        finally:
            await conn.close()
        return url

    def take_back(self, url: str) -> None:
        """Lend this one again; nobody is connected any more."""
        self._free.append(url)

    async def new_database(self) -> str:
        """Make a database with the schema; its URL."""
        admin = await asyncpg.connect(self.url("postgres"))
        try:
            if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
                await admin.execute(f"CREATE DATABASE {TEMPLATE}")
                conn = await Address(self.url(TEMPLATE), StorePolicy()).connect("template")
                await migrate(conn)
                await conn.close()
            name = f"w{new_id()}"
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        finally:
            await admin.close()
        return self.url(name)

    async def empty_database(self) -> str:
        """Make a database with nothing in it; its URL."""
        admin = await asyncpg.connect(self.url("postgres"))
        name = f"e{new_id()}"
        await admin.execute(f"CREATE DATABASE {name}")
        await admin.close()
        return self.url(name)

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self.bin / program, *map(str, arguments)],
            check=True,
            capture_output=True,
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd=self.dir,
        )


def _unprivileged() -> str | None:
    """PostgreSQL refuses root: who runs it then; None for who runs this."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


_running: list[PostgresServer] = []


def postgres() -> PostgresServer:
    """The session's server, started when first asked for."""
    if not _running:
        found = binaries()
        if found is None:
            words = f"no PostgreSQL server (>= {OLDEST}) on this machine: run tools/postgres.sh"
            if os.environ.get("CI") == "true":
                pytest.fail(words)
            pytest.skip(words)
        server = PostgresServer(found)
        _running.append(server)
        server.start()
    return _running[0]


def stop_postgres() -> None:
    """End the session's server, where there is one."""
    while _running:
        _running.pop().remove()
