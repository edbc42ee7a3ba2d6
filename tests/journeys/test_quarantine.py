"""What could not become a message is shown, tried again when its channel can read it, or dropped."""

from pathlib import Path

import msgspec

from tests.journeys.http_gateway import HttpGateway, http_gateway
from tests.journeys.test_http_main_job import ready
from wunder.model.intake import SpooledRequest, SpoolVerdict, spool_context
from wunder.model.provider import RawRequest

ITEM = {"id": "m1", "peer": "u1", "text": "one"}


async def only(gateway: HttpGateway) -> dict:
    _, page = await gateway.call("GET", "channels/quarantine")
    (item,) = page["items"]
    return item


async def test_the_same_id_with_other_words_can_be_let_through_by_hand(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        await gateway.webhook(ITEM)
        await gateway.webhook({**ITEM, "text": "another"})
        item = await only(gateway)
        assert item["reason"] == "dedupe_collision"
        path = f"channels/quarantine/{item['quarantine_id']}"
        _, shown = await gateway.call("GET", path)
        assert shown["can_retry"] is True
        assert '"another"' in shown["body"]
        assert (await gateway.call("POST", f"{path}/retry"))[0] == 200
        await gateway.until("channels/messages?direction=in", text="another", state="answered")
        assert (await gateway.call("GET", path))[0] == 404
        assert (await gateway.call("POST", f"{path}/retry"))[0] == 404
        _, events = await gateway.call("GET", "channels/events?limit=200")
        assert "quarantine_retried" in {event["name"] for event in events["items"]}


async def test_a_request_is_parsed_again(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        account = await ready(gateway)
        body = msgspec.json.encode([ITEM])
        now = gateway.wired.ground.clock.now()
        request = RawRequest("POST", "/", (), (), body, "127.0.0.1", now)
        sealer, uid = gateway.wired.upkeep.quarantine._sealer, account["account_uid"]
        sealed = sealer.seal(msgspec.msgpack.encode(request), spool_context(uid, "s1"))
        row = SpooledRequest("s1", uid, "chat", "main", sealed, now)
        intake = gateway.wired.store.intake
        await intake.spool(row)
        await intake.settle_spooled(row, SpoolVerdict.QUARANTINED, now, "plugin_crashed")
        item = await only(gateway)
        assert (item["reason"], item["is_request"]) == ("plugin_crashed", True)
        _, shown = await gateway.call("GET", "channels/quarantine/s1")
        assert shown["body"] == body.decode()
        assert (await gateway.call("POST", "channels/quarantine/s1/retry"))[0] == 200
        (due,) = await intake.due_spooled(gateway.wired.ground.clock.now(), 9)
        assert due.spool_id == "s1"


async def test_an_excerpt_can_only_be_dropped(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        account = await ready(gateway)
        sealed_by_nobody = b"not a seal"
        row = SpooledRequest("s2", account["account_uid"], "chat", "main", sealed_by_nobody, 1)
        intake = gateway.wired.store.intake
        await intake.spool(row)
        await intake.settle_spooled(row, SpoolVerdict.QUARANTINED, 1, "internal")
        status, shown = await gateway.call("GET", "channels/quarantine/s2")
        assert (status, shown["body"]) == (200, ""), (
            "a broken seal is shown empty, and can be dropped"
        )
        assert (await gateway.call("DELETE", "channels/quarantine/s2"))[0] == 204
        assert (await gateway.call("DELETE", "channels/quarantine/s2"))[0] == 404
