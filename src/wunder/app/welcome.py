"""What a person who starts the gateway in a terminal is told: one link, and how to stop."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from wunder import __version__
from wunder.accounts.setup_token import SetupToken

CONSOLE = "/console/"
_EN = """
  Wunder Channels {version} is running.

    {link}

  {about}
  Data: {data_dir}   Stop: Ctrl-C
"""
_ZH = """
  Wunder Channels {version} 已启动。

    {link}

  {about}
  数据目录：{data_dir}   停止：Ctrl-C
"""
_ABOUT = {
    True: "Open it in a browser: it signs you in once, within 24 hours, and lets you choose a password.",
    False: "Open it in a browser and sign in.",
}
_ABOUT_ZH = {
    True: "用浏览器打开即可首次登录并设置密码；链接只能用一次，24 小时内有效。",
    False: "用浏览器打开并登录。",
}


def welcome(
    url: str,
    data_dir: Path,
    *,
    is_first: bool,
    out: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Say where the console is; nothing where nobody watches a terminal (security rule 16).

    Args:
        url: where the gateway is reached.
        data_dir: holds the first-run token.
        is_first: nobody can sign in yet: the link carries the token, in its fragment.
        out: the terminal; None: the process's own output.
        environ: tells the person's language.
    """
    out = out or sys.stdout
    if not out.isatty():
        return
    token = SetupToken(data_dir).read() if is_first else ""
    language = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    text, about = (_ZH, _ABOUT_ZH) if language.startswith("zh") else (_EN, _ABOUT)
    link = f"{url}{CONSOLE}#setup={token}" if token else f"{url}{CONSOLE}"
    told = text.format(version=__version__, link=link, about=about[bool(token)], data_dir=data_dir)
    out.write(f"{told}\n")
    out.flush()
