"""plugin.json: read into a Manifest, or refused with every fault by its JSON pointer at once."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from wunder.errors import FieldFault, PackageRefused
from wunder.plugins import network_hosts, python_runtime
from wunder.plugins.entry_names import require_plain
from wunder.plugins.manifest_fields import Fields
from wunder.plugins.strict_json import read_document
from wunder.plugins.views import Finding
from wunder_wire.frame import (
    MAX_FRAME_BYTES,
    MAX_FRAME_CEILING_BYTES,
    MAX_JSON_DEPTH,
    PROTOCOL_VERSIONS,
    least_frame_bytes,
)
from wunder_wire.ids import PLUGIN_ID, SEMVER
from wunder_wire.manifest import Manifest
from wunder_wire.shapes import from_json

MANIFEST_NAME = "plugin.json"
MAX_MANIFEST_BYTES = 262_144
DEFAULT_BODY_BYTES, MAX_BODY_BYTES = 524_288, 5 * 1_048_576
LEAST_FRAME_BYTES = 65_536
MONTH_S = 30 * 86_400
PYTHON_MODULES = ("plugin.py", "plugin/__init__.py")

_PLATFORM = re.compile(r"(?:linux|darwin|windows)-(?:amd64|arm64)\Z")
_CAPABILITY = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}\Z")
_CHARSET = re.compile(r"(?:;\s?charset=utf-8)?\Z", re.IGNORECASE)
#: An ack says "received": of the statuses a webhook answer may have (security rule 1), these do.
_ACK_STATUSES = (200, 204)
_ACK_TYPES = ("text/plain", "application/json", "application/xml", "text/xml")
_NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class ManifestReading:
    """What came of reading a plugin.json; `manifest` is None where there are faults.

    `document` is the whole of it, unknown top-level fields included.
    """

    manifest: Manifest | None
    document: dict[str, Any]
    faults: tuple[FieldFault, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_manifest(
    raw: bytes, *, files: Collection[str] | None = None, is_builtin: bool = False
) -> ManifestReading:
    """Read a plugin.json; runs no code of the plugin.

    Args:
        raw: The file.
        files: The paths in the package, for entries to be found among; None skips that.
        is_builtin: A built-in needs no entry, and may serve other provider ids.
    """
    value, faults = read_document(raw, max_bytes=MAX_MANIFEST_BYTES, max_depth=MAX_JSON_DEPTH)
    if not isinstance(value, dict):
        faults = faults or [FieldFault("", "type", "must be an object")]
        return ManifestReading(None, {}, tuple(faults))
    findings: list[Finding] = []
    top = Fields(value, "", faults, findings)
    _read_identity(top)
    _read_entry(top, files, is_builtin=is_builtin)
    _read_capabilities(top)
    _read_permissions(
        top.section("permissions", ("network", "filesystem", "command"), is_strict=True)
    )
    _read_limits(top)
    _read_behaviour(top)
    _read_webhook(top)
    _read_serves(top, is_builtin=is_builtin)
    _read_languages(top.mapping("i18n"))
    if faults:
        return ManifestReading(None, value, tuple(faults), tuple(findings))
    return ManifestReading(from_json(Manifest, value), value, (), tuple(findings))


def _read_identity(top: Fields) -> None:
    plugin_id = top.text("plugin_id", at_most=64, is_required=True)
    if plugin_id is not None and not PLUGIN_ID.match(plugin_id):
        top.fault("plugin_id", "pattern", "must match [a-z0-9][a-z0-9_.-]{1,63}")
    top.text("name", at_most=80, is_required=True)
    version = top.text("version", at_most=64, is_required=True)
    if version is not None and not SEMVER.match(version):
        top.fault("version", "semver", "must be SemVer, such as 1.4.0 or 1.4.0-rc.1")
    asked = top.whole("api_version", 0, 1_000_000)
    if asked is not None and asked not in PROTOCOL_VERSIONS:
        spoken = ", ".join(str(number) for number in PROTOCOL_VERSIONS)
        message = f"asks for protocol {asked}; this gateway speaks {spoken}"
        top.fault("api_version", "api_version_unsupported", message)


def _read_entry(top: Fields, files: Collection[str] | None, *, is_builtin: bool) -> None:
    entry = top.mapping("entry")
    if not top.value.get("entry") and not is_builtin:
        top.fault("entry", "required", 'name at least one, such as {"any": "app"}')
    if "any" in entry and len(entry.value) > 1:
        entry.fault("any", "entry_mixed", "stands alone, or name each platform")
    for platform in entry.value:
        if platform != "any" and not _PLATFORM.match(platform):
            entry.fault(
                platform, "platform", "must be any, or linux, darwin or windows-amd64 or -arm64"
            )
        path = entry.text(platform, at_most=512)
        if path is not None:
            _require_entry_path(entry, platform, path, files)
    wish = top.text("runtime", at_most=100)
    if wish is not None and python_runtime.parse(wish) is None:
        top.fault("runtime", "runtime", "must be such as python>=3.11 or python>=3.11,<4")
    is_python = _names_folder(entry.value.get("any"), files)
    if is_python and wish is None:
        top.fault("runtime", "required", "a Python folder says what it needs, such as python>=3.11")
    if wish is not None and entry.value and files is not None and not is_python:
        top.fault("runtime", "runtime_without_folder", "goes with an entry `any` that is a folder")


def _names_folder(path: object, files: Collection[str] | None) -> bool:
    return isinstance(path, str) and any(name.startswith(f"{path}/") for name in files or ())


def _require_entry_path(
    entry: Fields, platform: str, path: str, files: Collection[str] | None
) -> None:
    """An entry is a file of the package; `any` may be a folder with a plugin module."""
    try:
        require_plain(path)
    except PackageRefused as refused:
        entry.fault(platform, refused.reason, "must be a plain path inside the package")
        return
    if files is None or path in files:
        return
    if platform != "any" or not _names_folder(path, files):
        entry.fault(platform, "entry_missing", "is not in the package")
    elif not any(f"{path}/{module}" in files for module in PYTHON_MODULES):
        entry.fault(platform, "entry_missing", "the folder has no plugin.py")


def _read_capabilities(top: Fields) -> None:
    capabilities = top.mapping("capabilities")
    for name in capabilities.value:
        if not _CAPABILITY.match(name):
            capabilities.fault(name, "pattern", "must match [a-z][a-z0-9_]{0,63}")
        capabilities.flag(name)
    if not any(value is True for value in capabilities.value.values()):
        top.warn("capabilities", "no_capability", "no capability is on: no message will pass")


def _read_permissions(permissions: Fields) -> None:
    network = permissions.items("network", at_most=200)
    for place, host in network.distinct_texts(at_most=300).items():
        verdict = network_hosts.judge(host)
        if verdict == "wildcard":
            network.warn(place, "network_wildcard", f"{host} takes in every host below it")
        elif verdict != "exact":
            network.fault(place, f"network_{verdict}", network_hosts.WORDS[verdict])
    permissions.choice("filesystem", ("none", "data"))
    permissions.flag("command")


def _read_limits(top: Fields) -> None:
    known = ("text_max", "per_account_qps", "reply_window_s", "frame_bytes", "body_bytes",
             "parse_inflight", "send_inflight", "edit_interval_ms")  # fmt: skip
    limits = top.section("limits", known)
    limits.whole("text_max", 1, 1_000_000)
    limits.number("per_account_qps", 0, 10_000)
    limits.whole("reply_window_s", 1, MONTH_S)
    limits.whole("parse_inflight", 1, 256)
    limits.whole("send_inflight", 1, 1_024)
    limits.whole("edit_interval_ms", 100, 60_000)
    body = limits.whole("body_bytes", 1, MAX_BODY_BYTES)
    frame = limits.whole("frame_bytes", LEAST_FRAME_BYTES, MAX_FRAME_CEILING_BYTES)
    is_wrong = ("body_bytes" in limits and body is None) or (
        "frame_bytes" in limits and frame is None
    )
    least = least_frame_bytes(body or DEFAULT_BODY_BYTES)
    if not is_wrong and (frame or MAX_FRAME_BYTES) < least:
        message = f"must be at least {least} to carry a body of {body or DEFAULT_BODY_BYTES} bytes"
        limits.fault("frame_bytes", "frame_too_small", message)


def _read_behaviour(top: Fields) -> None:
    if "idempotency" in top:
        repeats = top.section("idempotency", ("window_s", "applies_to"))
        repeats.whole("window_s", 1, MONTH_S, is_required=True)
        repeats.choice("applies_to", ("all", "replies"))
    if "account_lookup" in top:
        lookup = top.section("account_lookup", ("header", "config"), is_strict=True)
        header = lookup.text("header", at_most=100, is_required=True)
        if header is not None and not _HEADER.match(header):
            lookup.fault("header", "pattern", "must be the name of an HTTP header")
        lookup.text("config", at_most=100, is_required=True)


def _read_webhook(top: Fields) -> None:
    known = (
        "redelivery",
        "ack",
        "unavailable",
        "redelivery_days",
        "authorization",
        "several_accounts",
    )
    webhook = top.section("webhook", known)
    webhook.choice("redelivery", ("none", "short", "long"))
    webhook.choice("unavailable", ("503", "drop"))
    webhook.whole("redelivery_days", 1, 60)
    webhook.flag("several_accounts")
    if webhook.flag("authorization"):
        webhook.warn(
            "authorization", "sees_authorization", "sees the Authorization header of webhooks"
        )
    if "ack" not in webhook:
        return
    ack = webhook.section("ack", ("status", "content_type", "body"))
    status = ack.whole("status", 200, 599)
    if status is not None and status not in _ACK_STATUSES:
        ack.fault("status", "not_allowed", "one of 200, 204: an ack says received")
    kind = ack.text("content_type", at_most=100)
    if kind is not None and not _is_ack_type(kind):
        ack.fault("content_type", "not_allowed", f"one of {', '.join(_ACK_TYPES)}")
    body = ack.raw_text("body", at_most_bytes=65_536)
    if status == _NO_CONTENT and body:
        ack.fault("body", "body_with_204", "a 204 has no body")


def _is_ack_type(kind: str) -> bool:
    name, semicolon, rest = kind.partition(";")
    return name.strip().lower() in _ACK_TYPES and _CHARSET.match(f"{semicolon}{rest}") is not None


def _read_serves(top: Fields, *, is_builtin: bool) -> None:
    if "serves" not in top:
        return
    if not is_builtin:
        top.fault("serves", "builtin_only", "only a built-in can stand in for other provider ids")
        return
    served = top.items("serves", at_most=50)
    for place, provider_id in served.distinct_texts(at_most=64).items():
        if not PLUGIN_ID.match(provider_id):
            served.fault(place, "pattern", "must match [a-z0-9][a-z0-9_.-]{1,63}")


def _read_languages(languages: Fields) -> None:
    for name in languages.value:
        if not _LANGUAGE.match(name):
            languages.fault(name, "pattern", "must be a language tag such as zh-CN")
        words = languages.mapping(name)
        for key in words.value:
            words.text(key, at_most=2_000)
