"""What the console says, read from its own words: a test names a text by its key, in either language."""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "console/src/i18n"


class Words:
    """The words of one language; `words("signIn.do")`, with values for its {{places}}."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._all = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text. Raises: AssertionError where the console has no such text."""
        found: Any = self._all.get(key)
        if found is None:
            found = self._all
            for part in key.split("."):
                found = found.get(part) if isinstance(found, dict) else None
        assert isinstance(found, str), f"{self.language}.json has no text {key}"
        return re.sub(
            r"\{\{(\w+)[^}]*\}\}", lambda match: str(values.get(match[1], match[0])), found
        )

    def like(self, key: str) -> re.Pattern[str]:
        """Return a pattern that matches the text whatever stands in its places."""
        parts = re.split(r"\{\{\w+[^}]*\}\}", self(key))
        return re.compile(".*".join(re.escape(part.strip()) for part in parts))
