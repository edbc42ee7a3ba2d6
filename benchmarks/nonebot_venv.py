"""A virtual environment with NoneBot2, made by the benchmark that compares with it; never a dependency."""

import subprocess
import sys
import venv
from pathlib import Path

#: What the comparison was promised against (benchmarks/goals.py), and the OneBot adapter of its time.
PACKAGES = ("nonebot2[fastapi,aiohttp]==2.5.0", "nonebot-adapter-onebot==2.4.6")


def nonebot_python(folder: Path) -> str:
    """The interpreter of the environment in `folder`, installed where it is not there yet."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        sys.stderr.write(f"installing {', '.join(PACKAGES)} into {folder}\n")
        venv.create(folder, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]
        subprocess.run(command, check=True, stdout=sys.stderr)
        (folder / "ready").touch()
    return str(python)
