"""The account schema of an installed release, read from its read-only folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wunder.model.plugin import Release
from wunder.plugins.account_schema import SCHEMA_NAME


def schema_reader(data_dir: Path) -> Callable[[Release], dict[str, Any] | None]:
    """Return a function that reads a release's schema; None where it has none, or is not installed.

    It was checked when the package was accepted, and its hash is verified before each start.
    """

    def read(release: Release) -> dict[str, Any] | None:
        path = data_dir / release.install_path / SCHEMA_NAME
        try:
            schema = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return schema if isinstance(schema, dict) else None

    return read
