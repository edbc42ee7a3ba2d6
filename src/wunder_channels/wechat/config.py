"""An account's fields: an app of a company, an AI bot, or the customer service."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from wunder_channels.wechat.envelope import KeyPair, is_key_text
from wunder_sdk import ConfigFault

#: `mode` of an app (自建应用), and of an AI bot (智能机器人) that calls our URL.
#: `kf` is the customer service (微信客服).
APP, AI_BOT, DESK = "app", "webhook", "kf"
_CORP_ID = re.compile(r"w[wx][0-9A-Za-z_-]{1,62}\Z")
_MOST_SKEW_S = 86_400
#: A welcome is one text message (WeCom docs 101031, passive reply, at most 2048 bytes).
_WELCOME_BYTES = 2048


@dataclass(frozen=True, slots=True)
class WecomConfig:
    """An account's fields; what each means is in account.schema.json."""

    token: str
    encoding_aes_key: str
    mode: str = APP
    corp_id: str = ""
    agent_id: int = 0
    secret: str = ""
    open_kfid: str = ""
    bot_id: str = ""
    bot_name: str = ""
    streaming: bool = False
    welcome: str = ""
    markdown: str = "auto"
    domain: str = "https://qyapi.weixin.qq.com"
    max_clock_skew_s: int = 0
    previous_token: str = ""
    previous_encoding_aes_key: str = ""

    @property
    def is_ai_bot(self) -> bool:
        """An AI bot speaks JSON and answers; an app speaks XML and may write first."""
        return self.mode == AI_BOT

    @property
    def is_desk(self) -> bool:
        """The customer service is told that there is something, and fetches it."""
        return self.mode == DESK

    @property
    def receive_id(self) -> str:
        """What stands at the end of every envelope: nothing at all for an AI bot."""
        return "" if self.is_ai_bot else self.corp_id

    @property
    def key_pairs(self) -> tuple[KeyPair, ...]:
        """The pair in force, then the one it replaced."""
        pairs = [KeyPair(self.token, self.encoding_aes_key)]
        if self.previous_token and self.previous_encoding_aes_key:
            pairs.append(KeyPair(self.previous_token, self.previous_encoding_aes_key))
        return tuple(pairs)

    def owns(self, url: str) -> bool:
        """Does `url` point at the API of this account? Answers are sent nowhere else."""
        try:
            asked, ours = urlsplit(url), urlsplit(self.domain)
            return (asked.scheme, asked.netloc) == (ours.scheme, ours.netloc)
        except ValueError:
            return False


def faults(config: WecomConfig) -> list[ConfigFault]:
    """Return what is wrong with an account; which fields it needs depends on its mode."""
    found = [*_key_faults(config)]
    if config.mode not in (APP, AI_BOT, DESK):
        found.append(ConfigFault("/mode", "enum", f"one of {APP}, {AI_BOT}, {DESK}"))
    elif not config.is_ai_bot:
        found += _app_faults(config)
    if not _is_web_address(config.domain):
        found.append(ConfigFault("/domain", "format", "not an http(s) address of a host"))
    if config.markdown not in ("auto", "off"):
        found.append(ConfigFault("/markdown", "enum", "one of auto, off"))
    if not 0 <= config.max_clock_skew_s <= _MOST_SKEW_S:
        found.append(ConfigFault("/max_clock_skew_s", "range", f"0 to {_MOST_SKEW_S} seconds"))
    if len(config.welcome.encode("utf-8", "replace")) > _WELCOME_BYTES:
        found.append(ConfigFault("/welcome", "too_long", f"at most {_WELCOME_BYTES} bytes"))
    return found


def warnings(config: WecomConfig) -> list[ConfigFault]:
    """Return what works, but not as one would wish."""
    if config.is_ai_bot and not config.bot_name:
        words = "without the bot's name, its @name stays in the text of group messages"
        return [ConfigFault("/bot_name", "recommended", words)]
    return []


def _key_faults(config: WecomConfig) -> list[ConfigFault]:
    found: list[ConfigFault] = []
    if not config.token:
        found.append(ConfigFault("/token", "required", "the callback Token is missing"))
    if not is_key_text(config.encoding_aes_key):
        found.append(
            ConfigFault("/encoding_aes_key", "pattern", "EncodingAESKey is 43 letters and digits")
        )
    previous = config.previous_encoding_aes_key
    if bool(previous) != bool(config.previous_token) or (previous and not is_key_text(previous)):
        found.append(
            ConfigFault(
                "/previous_encoding_aes_key", "pattern", "previous Token and key: both, or none"
            )
        )
    return found


def _app_faults(config: WecomConfig) -> list[ConfigFault]:
    found: list[ConfigFault] = []
    if not _CORP_ID.match(config.corp_id):
        found.append(ConfigFault("/corp_id", "pattern", "an app needs its corp id: ww… or wx…"))
    if config.agent_id <= 0 and not config.is_desk:
        found.append(ConfigFault("/agent_id", "required", "an app needs its AgentId"))
    if not config.secret:
        found.append(ConfigFault("/secret", "required", "an app needs its Secret"))
    return found


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False
