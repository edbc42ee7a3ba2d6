"""docs/operate/settings.md is what tools/settings_doc.py writes from the settings themselves."""

from tests.docs.pages import ROOT
from tools.settings_doc import page


def test_the_page_of_settings_is_fresh() -> None:
    written = (ROOT / "docs/operate/settings.md").read_text("utf-8")
    assert written == page(), "it is stale: run .venv/bin/python tools/settings_doc.py"
