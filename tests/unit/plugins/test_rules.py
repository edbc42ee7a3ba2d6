from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.world import HERE
from wunder.model.plugin import Release
from wunder.plugins import permissions
from wunder.plugins.python_runtime import parse
from wunder.plugins.release import confused_with, fit_of, newest_first, skeleton, to_enable
from wunder.plugins.signature import SignatureVerdict, is_allowed
from wunder.plugins.verify import Difference, differences, in_words
from wunder_wire.ids import PLUGIN_ID
from wunder_wire.manifest import Manifest, Permissions, Webhook


def release(version: str, created_at: int = 0) -> Release:
    return Release("acme.echo", version, "0" * 64, {}, "p", {}, 1, "d", created_at)  # type: ignore[arg-type]  # NewTypes


def manifest(**fields: object) -> Manifest:
    return Manifest("a.b", "B", "1.0.0", **fields)  # type: ignore[arg-type]  # any of its fields


@pytest.mark.parametrize(
    ("wish", "here", "is_met"),
    [
        ("python", (3, 8), True),
        ("python>=3.11", (3, 11, 0), True),
        ("python>=3.11", (3, 9, 18), False),
        ("python>=3.9", (3, 11, 7), True),
        ("python>=3.11,<4", (3, 13, 1), True),
        ("python >=3.11, <3.13", (3, 13, 0), False),
        ("python==3.11", (3, 11, 7), True),
        ("python==3.11.6", (3, 11, 7), False),
        ("python>3.11", (3, 11, 7), True),
        ("python>3.11.7", (3, 11, 7), False),
        ("python<=3.11", (3, 11, 0), True),
    ],
)
def test_a_runtime_wish_is_held_against_the_interpreter(
    wish: str, here: tuple[int, ...], is_met: bool
) -> None:
    parsed = parse(wish)
    assert parsed is not None
    assert parsed.is_met_by(here) is is_met


@pytest.mark.parametrize(
    "wish", ["", "pypy>=3", "python3.11", "python>=", "python~=3.11", "python>=3.11,,"]
)
def test_a_wish_that_is_not_understood_is_none(wish: str) -> None:
    assert parse(wish) is None


def test_versions_sort_as_semver_and_builds_by_when_they_came() -> None:
    releases = [release("1.2.0"), release("1.10.0"), release("1.10.0-rc.1"),
                release("2.0.0+a", 9), release("2.0.0+b", 3)]  # fmt: skip
    assert [one.version for one in newest_first(releases)] == [
        "2.0.0+a", "2.0.0+b", "1.10.0", "1.10.0-rc.1", "1.2.0",
    ]  # fmt: skip
    assert to_enable([], "", None) is None


def test_ids_that_look_alike_have_one_skeleton() -> None:
    assert skeleton("q-q_b.0t") == skeleton("qqbot")
    assert skeleton("we1come") == skeleton("welcome") == skeleton("weicome")
    assert confused_with("qqbot", ["qqbot"]) is None
    assert confused_with("qq.bot", ["wechat", "qqbot"]) == "qqbot"


@given(st.from_regex(PLUGIN_ID, fullmatch=True))
def test_a_skeleton_is_its_own_skeleton(plugin_id: str) -> None:
    assert skeleton(skeleton(plugin_id)) == skeleton(plugin_id)


def test_the_entry_for_this_platform_is_taken() -> None:
    both = manifest(entry={"linux-amd64": "bin/l", "darwin-arm64": "bin/d"})
    assert fit_of(both, HERE).entry == "bin/l"
    assert not fit_of(manifest(entry={"darwin-arm64": "bin/d"}), HERE).can_start


def test_the_permission_digest_is_of_what_may_be_done_and_nothing_else() -> None:
    plain = manifest(permissions=Permissions(("a.example", "b.example")))
    same = manifest(
        permissions=Permissions(("b.example", "a.example")), capabilities={"webhook": True}
    )
    assert permissions.permission_digest(plain) == permissions.permission_digest(same)
    others = [
        manifest(permissions=Permissions(("a.example",))),
        manifest(permissions=Permissions(("a.example", "b.example"), "data")),
        manifest(permissions=Permissions(("a.example", "b.example"), "none", command=True)),
        manifest(
            permissions=Permissions(("a.example", "b.example")), webhook=Webhook(authorization=True)
        ),
    ]
    digests = {permissions.permission_digest(one) for one in [plain, *others]}
    assert len(digests) == 5


@pytest.mark.parametrize("verdict", SignatureVerdict)
def test_only_verified_packages_pass_where_signatures_are_enforced(
    verdict: SignatureVerdict,
) -> None:
    assert is_allowed(verdict, "enforce") is (verdict is SignatureVerdict.VERIFIED)
    assert is_allowed(verdict, "off") is (verdict is not SignatureVerdict.REVOKED)
    good = (SignatureVerdict.VERIFIED, SignatureVerdict.UNSIGNED)
    assert is_allowed(verdict, "warn") is (verdict in good)


def test_a_missing_or_linked_release_is_different(tmp_path: Path) -> None:
    assert differences(tmp_path / "gone", {"a": "0"}) == [Difference("missing", ".")]
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    assert differences(tmp_path / "link", {}) == [Difference("missing", ".")]


def test_many_differences_are_told_in_one_line() -> None:
    text = in_words([Difference("extra", f"f{n}") for n in range(9)])
    assert "f0 (extra), f1 (extra), f2 (extra) and 6 more" in text
