"""What every AuditLog promises."""

from typing import Any

from tests.contracts.store_world import World
from wunder.model.ids import At
from wunder.people.audit import AuditEntry
from wunder.people.tables import AuditFilter


def entry(at: int, **given: Any) -> AuditEntry:
    fields = {
        "at": At(at),
        "actor": "user:ann",
        "action": "account_changed",
        "subject": "ch/main",
        "detail": {"secrets": {"/app_secret": {"set": True, "hmac8": "0a1b2c3d"}}},
        "remote_addr": "192.0.2.1",
        "request_id": "r1",
    }
    return AuditEntry(**(fields | given))


async def ats(world: World, **where: Any) -> list[int]:
    page = await world.store.audit.entries(AuditFilter(**where), 50, "")
    return [one.at for one in page.items]


async def test_an_entry_comes_back_as_stored(world: World) -> None:
    await world.store.audit.add([entry(1, result="not_allowed")])
    [stored] = (await world.store.audit.entries(AuditFilter(), 50, "")).items
    assert stored == entry(1, result="not_allowed", seq=stored.seq)


async def test_the_newest_stands_first_and_pages_follow(world: World) -> None:
    await world.store.audit.add([entry(at) for at in (1, 2, 3)])
    await world.store.audit.add([entry(4)])
    first = await world.store.audit.entries(AuditFilter(), 3, "")
    assert [one.at for one in first.items] == [4, 3, 2]
    rest = await world.store.audit.entries(AuditFilter(), 3, first.next_cursor)
    assert ([one.at for one in rest.items], rest.next_cursor) == ([1], "")


async def test_entries_are_found_by_who_what_on_what_and_when(world: World) -> None:
    await world.store.audit.add(
        [
            entry(1),
            entry(2, actor="ci#0a1b2c3d"),
            entry(3, action="token_created"),
            entry(4, subject="ch/other"),
        ]
    )
    assert await ats(world, actor="ci#0a1b2c3d") == [2]
    assert await ats(world, action="token_created") == [3]
    assert await ats(world, subject="ch/other") == [4]
    assert await ats(world, since=At(2), until=At(4)) == [3, 2]
    assert await ats(world, actor="user:ann", subject="ch/main") == [3, 1]


async def test_hostile_text_is_kept_as_text(world: World) -> None:
    await world.store.audit.add([entry(1, subject="a\x00b' OR 1=1 --", actor="\ud800")])
    [stored] = (await world.store.audit.entries(AuditFilter(), 50, "")).items
    assert stored.subject == "a�b' OR 1=1 --"
    assert await ats(world, subject="a\x00b' OR 1=1 --") == [1]
