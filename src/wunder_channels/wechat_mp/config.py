"""The fields of an account, typed, and what is wrong with them."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from wunder_sdk import ConfigFault

PLAIN = "plain"
MODES = (PLAIN, "compat", "safe")
#: How answers travel: by customer service message, in the webhook's response, or as WeChat allows.
AUTO, ACTIVE, PASSIVE = "auto", "active", "passive"
_APP_ID = re.compile(r"wx[0-9A-Za-z]{8,30}\Z")
_ORIGINAL_ID = re.compile(r"gh_[0-9A-Za-z]{1,40}\Z")
_AES_KEY_CHARS = 43
#: A timestamp older than a day says nothing about freshness (choice).
_MOST_SKEW_S = 86_400


@dataclass(frozen=True, slots=True)
class MpConfig:
    """An account's fields; what each means is in account.schema.json."""

    app_id: str
    token: str = field(repr=False)
    app_secret: str = field(default="", repr=False)
    encoding_aes_key: str = field(default="", repr=False)
    encrypt_mode: str = "safe"
    original_id: str = ""
    reply_mode: str = AUTO
    fetch_more: bool = True
    previous_token: str = field(default="", repr=False)
    previous_encoding_aes_key: str = field(default="", repr=False)
    domain: str = "https://api.weixin.qq.com"
    max_clock_skew_s: int = 0

    @property
    def is_plain(self) -> bool:
        """Do messages come and go in clear? Any other mode, even a misspelt one, is encrypted."""
        return self.encrypt_mode == PLAIN

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens that may have signed a request, the current one first."""
        return tuple(filter(None, (self.token, self.previous_token)))

    @property
    def aes_keys(self) -> tuple[str, ...]:
        """The keys that may have sealed a message, the current one first."""
        return tuple(filter(None, (self.encoding_aes_key, self.previous_encoding_aes_key)))

    @property
    def can_call(self) -> bool:
        """Is there what it takes to call WeChat at all?"""
        return bool(self.app_secret)


def faults_of(config: MpConfig) -> list[ConfigFault]:
    """Name every field that cannot work."""
    rules = (
        ("/app_id", "pattern", bool(_APP_ID.match(config.app_id)), "an App ID begins with wx"),
        ("/token", "length", 3 <= len(config.token) <= 32, "a token has 3 to 32 characters"),
        (
            "/encoding_aes_key",
            "format",
            _is_aes_key(config.encoding_aes_key) or (config.is_plain and not config.aes_keys),
            "43 letters and digits, required unless the mode is plain",
        ),
        (
            "/previous_encoding_aes_key",
            "format",
            not config.previous_encoding_aes_key or _is_aes_key(config.previous_encoding_aes_key),
            "43 letters and digits",
        ),
        ("/encrypt_mode", "enum", config.encrypt_mode in MODES, "one of plain, compat, safe"),
        (
            "/original_id",
            "pattern",
            not config.original_id or bool(_ORIGINAL_ID.match(config.original_id)),
            "an original ID begins with gh_",
        ),
        (
            "/reply_mode",
            "enum",
            config.reply_mode in (AUTO, ACTIVE, PASSIVE),
            "one of auto, active, passive",
        ),
        (
            "/app_secret",
            "required",
            config.can_call or config.reply_mode != ACTIVE,
            "customer service messages need the App secret",
        ),
        ("/domain", "format", _is_web_address(config.domain), "not an http(s) address of a host"),
        (
            "/max_clock_skew_s",
            "range",
            0 <= config.max_clock_skew_s <= _MOST_SKEW_S,
            f"0 to {_MOST_SKEW_S} seconds",
        ),
    )
    return [ConfigFault(path, code, words) for path, code, is_fine, words in rules if not is_fine]


def _is_aes_key(text: str) -> bool:
    try:
        return (
            len(text) == _AES_KEY_CHARS and len(base64.b64decode(text + "=", validate=True)) == 32
        )
    except (binascii.Error, ValueError):
        return False


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False
