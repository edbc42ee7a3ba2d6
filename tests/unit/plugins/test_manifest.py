import json
from typing import Any

import pytest

from tests.unit.plugins.raw_zip import MANIFEST
from wunder.plugins.manifest import ManifestReading, read_manifest

FILES = frozenset({"plugin.json", "app/plugin.py", "bin/linux-amd64/plugin", "run.sh"})


def read(**changed: Any) -> ManifestReading:
    document = {key: value for key, value in {**MANIFEST, **changed}.items() if value is not ...}
    return read_manifest(json.dumps(document).encode(), files=FILES)


def faults(**changed: Any) -> dict[str, str]:
    reading = read(**changed)
    assert (reading.manifest is None) == bool(reading.faults)
    return {fault.pointer: fault.code for fault in reading.faults}


def test_a_good_manifest_is_read_and_its_unknown_fields_are_kept() -> None:
    reading = read(homepage={"url": "https://example.com"})
    assert reading.manifest is not None
    assert reading.manifest.permissions.network == ("api.example.com",)
    assert reading.document["homepage"] == {"url": "https://example.com"}


def test_every_fault_is_told_at_once_with_its_place() -> None:
    found = faults(
        plugin_id="Acme", version="1.0", api_version=7, entry={"linux-amd64": "../x", "sun": "run.sh"},
        runtime=..., permissions={"network": ["10.0.0.1", "*", 5], "files": "all"},
        limits={"frame_bytes": 100_000}, webhook={"ack": {"status": 500, "content_type": "text/html"}},
        idempotency={}, serves=["x"],
    )  # fmt: skip
    assert found == {
        "/plugin_id": "pattern",
        "/version": "semver",
        "/api_version": "api_version_unsupported",
        "/entry/linux-amd64": "name_traversal",
        "/entry/sun": "platform",
        "/permissions/network/0": "network_address",
        "/permissions/network/1": "network_too_wide",
        "/permissions/network/2": "type",
        "/permissions/files": "unknown_field",
        "/limits/frame_bytes": "frame_too_small",
        "/webhook/ack/status": "not_allowed",
        "/webhook/ack/content_type": "not_allowed",
        "/idempotency/window_s": "required",
        "/serves": "builtin_only",
    }


def test_an_unknown_api_version_names_those_spoken() -> None:
    (fault,) = read(api_version=2).faults
    assert "this gateway speaks 1" in fault.message


def test_without_an_api_version_the_first_is_meant() -> None:
    manifest = read(api_version=...).manifest
    assert manifest is not None
    assert manifest.api_version == 1


@pytest.mark.parametrize("key", ["plugin_id", "name", "version"])
def test_what_must_be_there_is_missed(key: str) -> None:
    assert faults(**{key: ...}) == {f"/{key}": "required"}


@pytest.mark.parametrize(
    "plugin_id", ["a", "A1", "\uff41bc", "\u0430cme", "-ab", "a/b", "a b", "x" * 65, "ab\n"]
)
def test_ids_have_one_pattern(plugin_id: str) -> None:
    assert "/plugin_id" in faults(plugin_id=plugin_id)


@pytest.mark.parametrize(
    "version", ["1", "01.2.3", "1.2.3-", "v1.2.3", "1.2.3 ", "1.2.3-a..b", "1.2.3\n"]
)
def test_versions_are_semver(version: str) -> None:
    assert "/version" in faults(version=version)


@pytest.mark.parametrize("version", ["1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3+build.5"])
def test_semver_is_taken(version: str) -> None:
    assert faults(version=version) == {}


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        (b"", "not_json", ""),
        (b"{", "not_json", ""),
        (b"\xef\xbb\xbf{}", "not_json", ""),
        (b"\xff\xfe{\0}\0", "not_json", ""),
        (b"[]", "type", ""),
        (b"3", "type", ""),
        (b"null", "type", ""),
        (b'{"a":NaN}', "not_json", ""),
        (b'{"a":"\\ud800"}', "not_json", ""),
        (b'{"a":' + b"[" * 70 + b"]" * 70 + b"}", "not_json", ""),
        (b'{"a":' + b"[" * 100_000, "not_json", ""),
        (b'{"x":{"a/b":1,"a/b":2}}', "duplicate_key", "/x/a~1b"),
        (b'{"plugin_id":"good.one","plugin_id":"evil.one"}', "duplicate_key", "/plugin_id"),
        (b'{"x":[{},{"k":1,"k":1}]}', "duplicate_key", "/x/1/k"),
        (b" " * 300_000, "too_large", ""),
    ],
)
def test_documents_that_are_not_strict_json_are_refused(
    raw: bytes, code: str, pointer: str
) -> None:
    reading = read_manifest(raw)
    assert reading.manifest is None
    assert (pointer, code) in {(fault.pointer, fault.code) for fault in reading.faults}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"entry": {}}, {"/entry": "required"}),
        ({"entry": ["app"]}, {"/entry": "type"}),
        ({"entry": {"any": "app", "linux-amd64": "run.sh"}}, {"/entry/any": "entry_mixed"}),
        ({"entry": {"any": "missing"}}, {"/entry/any": "entry_missing", "/runtime": None}),
        ({"entry": {"any": "bin"}}, {"/entry/any": "entry_missing"}),
        ({"entry": {"any": "app/plugin.py/x"}}, {"/entry/any": "entry_missing", "/runtime": None}),
        ({"entry": {"linux-amd64": "app"}}, {"/entry/linux-amd64": "entry_missing", "/runtime": None}),
        ({"entry": {"linux-amd64": "/bin/sh"}}, {"/entry/linux-amd64": "name_absolute", "/runtime": None}),
        ({"entry": {"linux-riscv": "run.sh"}, "runtime": ...}, {"/entry/linux-riscv": "platform"}),
        ({"runtime": ...}, {"/runtime": "required"}),
        ({"runtime": "node>=20"}, {"/runtime": "runtime"}),
        ({"runtime": "python>=3.x"}, {"/runtime": "runtime"}),
        ({"entry": {"any": "run.sh"}}, {"/runtime": "runtime_without_folder"}),
        ({"capabilities": {"webhook": 1}}, {"/capabilities/webhook": "type"}),
        ({"capabilities": {"Web": True}}, {"/capabilities/Web": "pattern"}),
        ({"permissions": {"command": "yes"}}, {"/permissions/command": "type"}),
        ({"permissions": {"filesystem": "all"}}, {"/permissions/filesystem": "not_allowed"}),
        ({"permissions": {"network": ["a.example.com"] * 2}}, {"/permissions/network/1": "duplicate"}),
        ({"limits": {"body_bytes": 5_242_881}}, {"/limits/body_bytes": "range"}),
        ({"limits": {"body_bytes": 3_145_728}}, {"/limits/frame_bytes": "frame_too_small"}),
        ({"limits": {"frame_bytes": 8_388_609}}, {"/limits/frame_bytes": "range"}),
        ({"limits": {"text_max": 1.5}}, {"/limits/text_max": "type"}),
        ({"limits": {"text_max": True}}, {"/limits/text_max": "type"}),
        ({"limits": {"per_account_qps": 0}}, {"/limits/per_account_qps": "range"}),
        ({"limits": {"per_account_qps": 1e400}}, {"": "not_json"}),
        ({"idempotency": {"window_s": 0}}, {"/idempotency/window_s": "range"}),
        ({"idempotency": {"window_s": 5, "applies_to": "some"}}, {"/idempotency/applies_to": "not_allowed"}),
        ({"webhook": {"redelivery": "often"}}, {"/webhook/redelivery": "not_allowed"}),
        ({"webhook": {"ack": {"status": 204, "body": "ok"}}}, {"/webhook/ack/body": "body_with_204"}),
        ({"webhook": {"ack": {"content_type": "text/plain\r\nX: y"}}}, {"/webhook/ack/content_type": "control_character"}),
        ({"webhook": {"ack": {"body": "x" * 65_537}}}, {"/webhook/ack/body": "too_large"}),
        ({"account_lookup": {"header": "X Y", "config": "a"}}, {"/account_lookup/header": "pattern"}),
        ({"account_lookup": {"header": "X-Y"}}, {"/account_lookup/config": "required"}),
        ({"i18n": {"zh-CN": {"name": "名\u202e"}}}, {"/i18n/zh-CN/name": "control_character"}),
        ({"name": "a\nb"}, {"/name": "control_character"}),
    ],
)  # fmt: skip
def test_wrong_fields_are_named_by_pointer(
    changed: dict[str, Any], expected: dict[str, str | None]
) -> None:
    found = faults(**changed)
    for pointer, code in expected.items():
        assert pointer in found if code is None else found[pointer] == code
    assert set(found) <= set(expected)


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("api.example.com", None),
        ("api.example.com:8443", None),
        ("xn--fiqs8s.example", None),
        ("*.example.com", None),
        ("API.example.com", "network_wrong"),
        ("https://example.com", "network_wrong"),
        ("example.com/path", "network_wrong"),
        ("example.com:0", "network_wrong"),
        ("example.com:70000", "network_wrong"),
        ("exa_mple.com", "network_wrong"),
        ("-a.example.com", "network_wrong"),
        ("example.com.", "network_wrong"),
        ("a.*.example.com", "network_wrong"),
        ("*.com", "network_too_wide"),
        ("*", "network_too_wide"),
        ("localhost", "network_private"),
        ("db.internal", "network_private"),
        ("printer.local:80", "network_private"),
        ("intranet", "network_private"),
        ("*.localhost", "network_private"),
        ("127.0.0.1", "network_address"),
        ("127.1", "network_address"),
        ("0x7f.0x1", "network_address"),
        ("2130706433", "network_address"),
        ("169.254.169.254", "network_address"),
        ("[::1]:80", "network_wrong"),
    ],
)
def test_hosts_are_exact_or_said_to_be_wide(host: str, code: str | None) -> None:
    found = faults(permissions={"network": [host]})
    assert found == ({} if code is None else {"/permissions/network/0": code})


def test_a_wildcard_host_is_pointed_out_to_the_reviewer() -> None:
    (finding,) = read(permissions={"network": ["*.example.com"]}).findings
    assert (finding.code, finding.pointer) == ("network_wildcard", "/permissions/network/0")


def test_a_frame_that_carries_the_body_is_enough() -> None:
    assert faults(limits={"body_bytes": 3_145_728, "frame_bytes": 4_325_376}) == {}


def test_a_builtin_needs_no_entry_and_may_serve_other_ids() -> None:
    document = {**MANIFEST, "serves": ["acme.echo", "echo"]}
    del document["entry"]
    reading = read_manifest(json.dumps(document).encode(), is_builtin=True)
    assert reading.manifest is not None
    assert reading.manifest.serves == ("acme.echo", "echo")


def test_a_fault_never_repeats_the_value() -> None:
    secret = "hunter2hunter2"
    reading = read(
        plugin_id=secret.upper(), version=secret, permissions={"network": [secret + "!"]}
    )
    assert all(secret not in fault.message.lower() for fault in reading.faults)
