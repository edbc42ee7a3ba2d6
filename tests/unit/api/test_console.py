"""The console's files: served from memory, by their own rules, and nothing beside them."""

import gzip
import os
from pathlib import Path

import aiohttp
import pytest

from tests.unit.api.conftest import Door, OpenDoor
from wunder.api.console import POLICY, ConsolePages

SCRIPT = "console.log('hello')\n" * 200


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "console_build"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>console</title>", "utf-8")
    (root / "assets" / "app-1a2b.js").write_text(SCRIPT, "utf-8")
    (root / "favicon.svg").write_text("<svg/>", "utf-8")
    monkeypatch.setattr("wunder.api.server.ConsolePages", lambda: ConsolePages(root))
    return root


@pytest.fixture
async def door(built: Path, open_door: OpenDoor) -> Door:
    return await open_door()


async def got(door: Door, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with door.http.get(path, headers=headers, allow_redirects=False) as answer:
        return answer, await answer.read()


async def test_the_front_page_leads_to_the_console(door: Door) -> None:
    for path in ("/", "/console"):
        answer, _ = await got(door, path)
        assert (answer.status, answer.headers["Location"]) == (302, "/console/")


async def test_a_deep_link_is_the_page_and_is_never_kept(door: Door) -> None:
    for path in ("/console/", "/console/monitor/plugins", "/console/trace/0a1b"):
        answer, body = await got(door, path)
        assert (answer.status, b"<title>console" in body) == (200, True)
        assert answer.headers["Cache-Control"] == "no-store"


async def test_a_hashed_file_is_kept_for_ever_and_packed(door: Door) -> None:
    raw, body = await got(door, "/console/assets/app-1a2b.js", **{"Accept-Encoding": "identity"})
    assert raw.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert raw.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert body.decode() == SCRIPT
    reply = await door.raw(
        b"GET /console/assets/app-1a2b.js HTTP/1.1\r\nHost: localhost\r\n"
        b"Accept-Encoding: gzip, br\r\nConnection: close\r\n\r\n"
    )
    head, _, packed = reply.partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head
    assert gzip.decompress(packed).decode() == SCRIPT


async def test_every_file_comes_with_the_strict_policy(door: Door) -> None:
    for path in ("/console/", "/console/assets/app-1a2b.js", "/console/favicon.svg"):
        answer, _ = await got(door, path)
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for rule in ("default-src 'self'", "script-src 'self'", "frame-ancestors 'none'"):
        assert rule in POLICY.split("; ")
    assert "unsafe-eval" not in POLICY


@pytest.mark.parametrize(
    "path",
    [
        "/console/assets/ghost.js",
        "/console/secret.txt",
        "/console/ghost.png",
        "/console/..%2f..%2fetc%2fpasswd.txt",
        "/console/assets/..%2findex.txt",
    ],
)
async def test_a_file_that_is_not_there_is_404_and_no_page(door: Door, path: str) -> None:
    answer, body = await got(door, path)
    assert (answer.status, body) == (404, b"")


async def test_a_link_out_of_the_folder_is_not_followed(
    built: Path, tmp_path: Path, open_door: OpenDoor
) -> None:
    (tmp_path / "outside.txt").write_text("secret", "utf-8")
    (built / "inside.txt").symlink_to(tmp_path / "outside.txt")
    door = await open_door()
    answer, _ = await got(door, "/console/inside.txt")
    assert answer.status == 404


async def test_a_new_build_is_served_without_a_restart(built: Path, door: Door) -> None:
    await got(door, "/console/")
    (built / "index.html").write_text("<!doctype html><title>newer</title>", "utf-8")
    os.utime(built / "index.html", ns=(1, 1))
    _, body = await got(door, "/console/")
    assert b"newer" in body


async def test_without_a_build_a_page_says_so_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_door: OpenDoor
) -> None:
    monkeypatch.setattr("wunder.api.server.ConsolePages", lambda: ConsolePages(tmp_path / "none"))
    door = await open_door()
    answer, body = await got(door, "/console/")
    assert answer.status == 503
    assert "sh tools/console.sh" in body.decode() and "控制台" in body.decode()
    assert "<script" not in body.decode()


async def test_nothing_but_reading_is_answered(door: Door) -> None:
    assert await door.post("/console/") == 405
    async with door.http.head("/console/") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
