"""The administrators' API as a framework: errors, headers, hosts, bodies, uploads."""

import asyncio
import hashlib
import io
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.unit.api.conftest import Door, FakeTokens, OpenDoor, World
from wunder.api.parts import ApiPolicy
from wunder.errors import Conflict, NotFound, PackageRefused, StoreFull

PLUGINS = "/wunder/admin/channel_plugins"


class Seen(msgspec.Struct):
    """As much of a plugin's view as these tests look at."""

    plugin_id: str
    is_user_visible: bool = False


class NothingVisible:
    async def visible(self) -> set[str]:
        return set()


class Desk:
    """A plugin desk that notes what it is asked."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.path: Path | None = None
        self.content = b""
        self.asked: dict[str, Any] = {}

    async def review(self, zip_path: Path, sha256: str | None = None) -> dict[str, str]:
        self._read(zip_path, sha256=sha256)
        return {"plugin_id": "parrot"}

    async def install(self, zip_path: Path, **asked: Any) -> None:
        self._read(zip_path, **asked)
        raise self.error or NotFound("installed")

    async def view(self, plugin_id: str) -> None:
        raise self.error or NotFound

    async def enable(self, plugin_id: str, **asked: Any) -> Seen:
        self.asked = asked
        if self.error:
            raise self.error
        return Seen(plugin_id)

    async def approve(self, *asked: Any) -> None:
        self.asked = {"approve": asked}
        raise self.error or NotFound

    def _read(self, zip_path: Path, **asked: Any) -> None:
        self.path, self.content, self.asked = zip_path, zip_path.read_bytes(), asked


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def door(open_door: OpenDoor, desk: Desk) -> Door:
    return await admin_door(open_door, desk)


async def admin_door(open_door: OpenDoor, desk: Desk, policy: ApiPolicy | None = None) -> Door:
    tokens = FakeTokens()
    door = await open_door(policy, tokens=tokens, plugins=desk, visibility=NothingVisible())
    door.http.headers["Authorization"] = f"Bearer {tokens.give('admin', 'approve')}"
    return door


async def problem(door: Door, method: str, path: str, **more: Any) -> dict[str, Any]:
    async with door.http.request(method, path, **more) as answer:
        assert answer.content_type == "application/problem+json"
        document: dict[str, Any] = await answer.json(content_type=None)
        assert document["status"] == answer.status
        assert len(document["trace_id"]) == 32
        return document


async def test_what_is_not_there_is_a_problem_document(door: Door) -> None:
    assert (await problem(door, "GET", f"{PLUGINS}/ghost"))["code"] == "not_found"
    assert (await problem(door, "GET", "/wunder/admin/nowhere"))["code"] == "no_such_route"
    assert (await problem(door, "PATCH", PLUGINS))["code"] == "method_not_allowed"


async def test_a_conflict_tells_its_reason_and_the_state(door: Door, desk: Desk) -> None:
    desk.error = Conflict("approve it", reason="not_approved", state={"accounts": 2})
    told = await problem(door, "POST", f"{PLUGINS}/parrot/enable", json={"version": "1.0.0"})
    assert (told["status"], told["code"], told["state"]) == (409, "not_approved", {"accounts": 2})
    assert desk.asked == {"version": "1.0.0", "confirm": None, "by": "tester#t"}


async def test_a_body_may_be_absent_where_nothing_in_it_is_needed(door: Door, desk: Desk) -> None:
    async with door.http.post(f"{PLUGINS}/parrot/enable") as answer:
        assert answer.status == 200
    assert desk.asked["version"] is None


async def test_a_needed_body_that_is_absent_is_422(door: Door) -> None:
    told = await problem(door, "POST", f"{PLUGINS}/parrot/approve")
    assert (told["status"], told["errors"][0]["code"]) == (422, "required")


async def test_rule_18_a_wrong_field_is_named_and_its_value_is_not_told(door: Door) -> None:
    body = {"version": "1.0.0", "sha256": {"hunter2": 1}}
    told = await problem(door, "POST", f"{PLUGINS}/parrot/approve", json=body)
    assert told["errors"] == [
        {"pointer": "/sha256", "code": "type", "message": "Expected str, got object"}
    ]


async def test_rule_5_duplicate_keys_in_a_body_are_422(door: Door) -> None:
    body = b'{"version":"1","version":"2","sha256":""}'
    headers = {"Content-Type": "application/json"}
    told = await problem(door, "POST", f"{PLUGINS}/p/approve", data=body, headers=headers)
    assert (told["status"], told["errors"][0]["code"]) == (422, "duplicate_key")


async def test_rule_5_a_deep_body_is_400(door: Door) -> None:
    headers = {"Content-Type": "application/json"}
    body = b"[" * 100_000
    told = await problem(door, "POST", f"{PLUGINS}/p/approve", data=body, headers=headers)
    assert told["status"] == 400


async def test_a_body_that_is_too_large_is_413(open_door: OpenDoor, desk: Desk) -> None:
    door = await admin_door(open_door, desk, ApiPolicy(json_bytes=100))
    body = {"version": "x" * 200, "sha256": ""}
    assert (await problem(door, "POST", f"{PLUGINS}/p/approve", json=body))["status"] == 413


async def test_a_body_of_another_type_is_415(door: Door) -> None:
    told = await problem(door, "POST", f"{PLUGINS}/p/approve", data={"version": "1"})
    assert told["status"] == 415


async def test_a_full_store_is_503_come_again(door: Door, desk: Desk) -> None:
    desk.error = StoreFull()
    told = await problem(door, "GET", f"{PLUGINS}/parrot")
    assert (told["status"], told["retry_after_s"]) == (503, 30)


async def test_a_bug_is_500_with_a_trace_id_and_no_words_of_it(door: Door, desk: Desk) -> None:
    desk.error = RuntimeError("hunter2")
    told = await problem(door, "GET", f"{PLUGINS}/parrot")
    assert (told["status"], told["code"]) == (500, "internal")
    assert "hunter2" not in str(told)


async def test_wrong_parameters_are_named_with_a_question_mark(door: Door) -> None:
    messages = "/wunder/admin/channels/messages"
    for query, place in {"limit=0": "?limit", "limit=x": "?limit", "page=2": "?page"}.items():
        told = await problem(door, "GET", f"{messages}?{query}")
        assert (told["status"], told["errors"][0]["pointer"]) == (422, place)


async def test_every_answer_carries_our_headers(door: Door) -> None:
    for path in ("/wunder/openapi.json", "/wunder/admin/nowhere", PLUGINS):
        async with door.http.get(path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_rule_16_only_listed_hosts_are_served(open_door: OpenDoor, desk: Desk) -> None:
    door = await admin_door(open_door, desk, ApiPolicy(allowed_hosts=("console.example.com",)))
    for host, status in {
        "evil.example.com": 421,
        "localhost": 421,
        "console.example.com": 404,
        "CONSOLE.example.com:8443": 404,
    }.items():
        async with door.http.get(f"{PLUGINS}/ghost", headers={"Host": host}) as answer:
            assert answer.status == status, host
    async with door.http.get("/healthz", headers={"Host": "10.0.0.7"}) as answer:
        assert answer.status == 200


async def test_an_upload_reaches_the_desk_as_a_file_of_the_data_dir(
    door: Door, desk: Desk, world: World
) -> None:
    content = b"PK" + bytes(range(256)) * 9_000  # more than two write buffers
    digest = hashlib.sha256(content).hexdigest()
    form = aiohttp.FormData({"sha256": digest})
    form.add_field("file", io.BytesIO(content), filename="../../evil.zip")
    async with door.http.post(f"{PLUGINS}/upload", data=form) as answer:
        assert answer.status == 404  # what the desk of this test answers
    assert desk.content == content
    assert desk.asked == {"sha256": digest, "by": "tester#t", "source": "api"}
    assert desk.path is not None
    assert desk.path.is_relative_to(world.data_dir)
    assert not desk.path.exists()


async def test_a_dry_run_reviews_and_installs_nothing(door: Door, desk: Desk) -> None:
    form = aiohttp.FormData()
    form.add_field("file", b"PK", filename="p.zip")
    async with door.http.post(f"{PLUGINS}/upload?dry_run=true", data=form) as answer:
        assert (answer.status, await answer.json()) == (200, {"plugin_id": "parrot"})
    assert desk.asked == {"sha256": None}


async def test_a_refused_package_is_422_with_its_reason(door: Door, desk: Desk) -> None:
    desk.error = PackageRefused("name_traversal", "remove `..`")
    form = aiohttp.FormData()
    form.add_field("file", b"PK", filename="p.zip")
    told = await problem(door, "POST", f"{PLUGINS}/upload", data=form)
    assert (told["status"], told["code"]) == (422, "name_traversal")


async def test_a_form_without_a_file_is_422(door: Door) -> None:
    form = aiohttp.FormData()
    form.add_field("other", b"x", filename="p.zip")
    told = await problem(door, "POST", f"{PLUGINS}/upload", data=form)
    assert (told["status"], told["errors"][0]["pointer"]) == (422, "/file")


async def test_an_upload_over_the_limit_is_413_and_leaves_nothing(
    open_door: OpenDoor, desk: Desk, world: World
) -> None:
    door = await admin_door(open_door, desk, ApiPolicy(package_bytes=1_000))
    form = aiohttp.FormData()
    form.add_field("file", b"x" * 1_001, filename="p.zip")
    assert (await problem(door, "POST", f"{PLUGINS}/upload", data=form))["status"] == 413
    assert not desk.content
    assert not list((world.data_dir / "uploads").iterdir())


@pytest.mark.parametrize("size_bytes", [2, 2_000_000])  # written at the end, and meanwhile
async def test_an_upload_to_a_full_disk_is_503_with_a_wait(
    door: Door, desk: Desk, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    monkeypatch.setattr("wunder.api.upload._create", lambda path: open("/dev/full", "wb"))  # noqa: SIM115
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(b"x" * size_bytes), filename="p.zip")
    told = await problem(door, "POST", f"{PLUGINS}/upload", data=form)
    assert (told["status"], told["code"]) == (503, StoreFull.code)
    assert told["retry_after_s"]
    assert not desk.content


async def test_a_damaged_form_is_400(door: Door) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    told = await problem(door, "POST", f"{PLUGINS}/upload", data=b"--b\r\njunk", headers=headers)
    assert told["status"] == 400


async def test_an_upload_that_stops_half_way_is_408(open_door: OpenDoor, desk: Desk) -> None:
    door = await admin_door(open_door, desk, ApiPolicy(body_timeout_s=0.05))

    async def half() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="p"\r\n\r\nPK'
        await asyncio.sleep(60)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    told = await problem(door, "POST", f"{PLUGINS}/upload", data=half(), headers=headers)
    assert told["status"] == 408


async def test_what_a_crash_left_of_uploads_is_swept(world: World, door: Door) -> None:
    left = world.data_dir / "uploads" / "old.zip"
    left.parent.mkdir()
    left.write_bytes(b"PK")
    async with door.http.get(PLUGINS):
        pass
    assert not left.exists()


async def test_asking_at_once_builds_the_app_once(door: Door) -> None:
    async def ask() -> int:
        async with door.http.get("/wunder/openapi.json") as answer:
            await answer.read()
            return answer.status

    assert await asyncio.gather(*(ask() for _ in range(5))) == [200] * 5
