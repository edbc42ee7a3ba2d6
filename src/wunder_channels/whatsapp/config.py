"""The fields of an account, and what can be said against them without asking Meta."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from wunder_sdk import ConfigFault

#: Graph API versions live about two years: this is a setting, not a constant.
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}\Z")
_DIGITS = re.compile(r"[0-9]{1,32}\Z")
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?\Z")
_VERIFY_TOKEN_LEAST = 8


@dataclass(frozen=True, slots=True)
class WhatsAppConfig:
    """An account's fields; what each means is in account.schema.json."""

    phone_number_id: str
    access_token: str
    app_secret: str
    verify_token: str
    waba_id: str = ""
    bot_name: str = ""
    quote: str = "groups"
    mark_read: bool = True
    typing: bool = True
    fallback_template: str = ""
    fallback_language: str = "en_US"
    fallback_parameters: str = ""
    part_pause_s: float = 1.0
    appsecret_proof: bool = False
    api_version: str = "v24.0"
    api_base: str = "https://graph.facebook.com"

    def url(self, path: str) -> str:
        """Return the address of a path of the Graph API, `path` without a leading slash."""
        return f"{self.api_base.rstrip('/')}/{self.api_version}/{path}"


def faults_of(config: WhatsAppConfig) -> list[ConfigFault]:
    """Return what is wrong with the fields themselves."""
    faults: list[ConfigFault] = []

    def require(holds: object, path: str, code: str, message: str) -> None:
        if not holds:
            faults.append(ConfigFault(path, code, message))

    require(_DIGITS.match(config.phone_number_id), "/phone_number_id", "pattern", "digits only")
    require(config.access_token, "/access_token", "required", "the access token is missing")
    require(config.app_secret, "/app_secret", "required", "the app secret is missing")
    require(
        len(config.verify_token) >= _VERIFY_TOKEN_LEAST,
        "/verify_token",
        "minLength",
        f"at least {_VERIFY_TOKEN_LEAST} characters",
    )
    require(
        not config.waba_id or _DIGITS.match(config.waba_id), "/waba_id", "pattern", "digits only"
    )
    require(_VERSION.match(config.api_version), "/api_version", "pattern", "like v24.0")
    require(_is_web_address(config.api_base), "/api_base", "format", "an http(s) address")
    require(
        config.quote in ("groups", "always", "never"), "/quote", "enum", "groups, always or never"
    )
    require(
        not config.fallback_template or _TEMPLATE.match(config.fallback_template),
        "/fallback_template",
        "pattern",
        "a template's name: small letters, digits and _",
    )
    require(
        _LANGUAGE.match(config.fallback_language), "/fallback_language", "pattern", "like en_US"
    )
    require(0 <= config.part_pause_s <= 5, "/part_pause_s", "range", "0 to 5 seconds")
    require(
        config.app_secret != config.verify_token or not config.app_secret,
        "/app_secret",
        "confused",
        "the app secret is not the verify token: see App settings, Basic",
    )
    return faults


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False
