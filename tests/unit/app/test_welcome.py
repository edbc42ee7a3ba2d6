"""What a person in a terminal is told, and that nobody else is told the token."""

import io
from pathlib import Path

from wunder.accounts.setup_token import SetupToken
from wunder.app.welcome import welcome
from wunder.model.ids import At

URL = "http://127.0.0.1:8080"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_the_first_start_shows_one_link_with_the_token_in_its_fragment(
    tmp_path: Path,
) -> None:
    setup, out = SetupToken(tmp_path), Terminal()
    await setup.offer(At(0))
    welcome(URL, tmp_path, is_first=True, out=out, environ={"LANG": "en_US.UTF-8"})
    link = f"{URL}/console/#setup={setup.read()}"
    assert out.getvalue().count("http") == 1
    assert link in out.getvalue().split()


async def test_what_is_no_terminal_is_told_nothing(tmp_path: Path) -> None:
    out = io.StringIO()
    await SetupToken(tmp_path).offer(At(0))
    welcome(URL, tmp_path, is_first=True, out=out, environ={})
    assert out.getvalue() == ""


async def test_a_later_start_shows_where_to_sign_in(tmp_path: Path) -> None:
    out = Terminal()
    welcome(URL, tmp_path, is_first=False, out=out, environ={"LANG": "zh_CN.UTF-8"})
    assert f"{URL}/console/" in out.getvalue().split()
    assert "已启动" in out.getvalue()
