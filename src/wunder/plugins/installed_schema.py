"""The account schema of an installed release, read from its read-only folder."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wunder.model.plugin import Release
from wunder.plugins.account_schema import SCHEMA_NAME


def schema_reader(data_dir: Path) -> Callable[[Release], dict[str, Any] | None]:
    """Return a function that reads a release's schema; None where it has none.

    None also where it is not what was checked when the package was accepted: without a schema
    every field counts as secret, so a changed file can hide nothing and show nothing.
    """

    def read(release: Release) -> dict[str, Any] | None:
        try:
            raw = (data_dir / release.install_path / SCHEMA_NAME).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(raw).hexdigest() != release.files.get(SCHEMA_NAME):
            return None
        schema: dict[str, Any] = json.loads(raw)
        return schema

    return read
