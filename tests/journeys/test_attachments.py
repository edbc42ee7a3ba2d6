"""Attachments: media follows its message without holding it up, and leaves by its stored id."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from tests.journeys.corridor import corridor
from wunder.attachments.desk import Uploading
from wunder.attachments.policy import AttachmentPolicy
from wunder.errors import Invalid, NotFound
from wunder.model.attachment import AttachmentState, blob_id_of
from wunder.model.delivery import DeliveryState
from wunder.model.fault import Fault, FaultKind
from wunder.model.message import Attachment
from wunder.model.turn import Reply
from wunder.outbound.queue import SendRequest
from wunder.upkeep.ledger import MessageFilter

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 300_000
SENT = DeliveryState.SENT
POLICY = AttachmentPolicy(poll_s=0.02, free_floor_bytes=0)


def picture(**more) -> dict:
    return {"id": "1", "peer": "ann", "text": "look", "attachments": [
        {"kind": "image", "media_id": "m1", "url": None, "name": "a.png", **more}
    ]}  # fmt: skip


async def only_row(here):
    page = await here.store.ledger.messages(MessageFilter(direction="in"), 10, "")
    found = await here.store.attachments.find([blob_id_of(page.items[0].message_id, 0)])
    return found[0]


async def until_state(here, state: AttachmentState):
    async def reached() -> bool:
        return (await only_row(here)).state is state

    await here.until(reached)
    return await only_row(here)


def token_of(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.path.rpartition("/")[2], parse_qs(parts.query)["t"][0]


async def test_an_agent_gets_the_picture_that_came_with_a_message(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media["m1"] = PNG
        await here.post(picture())
        await here.until_states(SENT)
        given = here.agents.turns[0].message.content.attachments[0]
        assert (given.mime, given.size, given.name) == ("image/png", len(PNG), "a.png")
        assert given.missing is None
        assert given.media_id is None
        served = await here.attachments.desk.open(*token_of(given.url))
        first = await here.attachments.desk.piece(served, 0)
        assert PNG.startswith(first)
        assert await here.attachments.media.content(given.blob_id, 1_000_000) == PNG


async def test_a_webhook_never_waits_for_media(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media["m1"] = PNG
        here.platform.media_gate.clear()
        assert (await here.post(picture())).status == 200
        await here.until(lambda: here.platform.fetches)
        assert here.agents.turns == []
        here.platform.media_gate.set()
        await here.until_states(SENT)
        assert here.agents.turns[0].message.content.attachments[0].blob_id


async def test_a_turn_waits_a_bounded_time_and_says_what_is_missing(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media_gate.clear()
        await here.post(picture())
        await here.until(lambda: here.platform.fetches)
        here.clock.advance(10.5)
        await here.until_states(SENT)
        given = here.agents.turns[0].message.content.attachments[0]
        assert (given.missing, given.blob_id, given.media_id) == ("late", None, "m1")


async def test_media_does_not_use_up_the_window_of_an_inline_reply(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.0, 8.0)
        here.platform.media_gate.clear()
        held = asyncio.ensure_future(here.post(picture()))
        await here.until(lambda: here.platform.fetches)

        def answered() -> bool:
            here.clock.advance(0.02)  # whenever the turn begins to wait
            return held.done()

        await here.until(answered)
        assert (await held).body == b"reply:look"


async def test_what_the_platform_refuses_is_marked_and_not_asked_for_again(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(picture())
        await here.until_states(SENT)
        given = here.agents.turns[0].message.content.attachments[0]
        assert given.missing == "failed"
        row = await until_state(here, AttachmentState.FAILED)
        assert (row.error, row.tries) == ("provider_rejected", 1)
        here.clock.advance(3600)
        assert here.platform.fetches == ["m1"]
        events = await here.store.events.events("", row.account_uid, 10, "")
        assert "attachment_not_fetched" in [event.name for event in events.items]


async def test_a_fetch_that_failed_is_tried_again(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media["m1"] = PNG
        for kind in (FaultKind.TIMEOUT, FaultKind.PROVIDER_UNAVAILABLE):
            here.platform.fetch_faults.append(Fault(kind, "no"))
        await here.post(picture())
        for fetches in (1, 2):
            await here.until(lambda n=fetches: len(here.platform.fetches) >= n)

            async def waits(n=fetches) -> bool:
                row = await only_row(here)
                return row.error != "" and row.retry_at > here.clock.now()

            await here.until(waits)
            here.clock.advance(4)
        row = await until_state(here, AttachmentState.STORED)
        assert row.tries == 1  # the outage used up none
        await here.until_states(SENT)
        assert here.agents.turns[0].message.content.attachments[0].blob_id == row.blob_id


async def test_tries_end(tmp_path) -> None:
    async with corridor(
        tmp_path, attachment_policy=msgspec.structs.replace(POLICY, tries=2)
    ) as here:
        here.platform.fetch_faults.extend([Fault(FaultKind.INTERNAL, "bug")] * 9)
        await here.post(picture())
        await here.until(lambda: len(here.platform.fetches) == 1)

        async def waits() -> bool:
            return (await only_row(here)).tries == 1

        await here.until(waits)
        here.clock.advance(5)
        row = await until_state(here, AttachmentState.FAILED)
        assert row.tries == 2


async def test_a_file_that_is_too_large_fails_for_good(tmp_path) -> None:
    small = msgspec.structs.replace(POLICY, max_file_bytes=1_000)
    async with corridor(tmp_path, attachment_policy=small) as here:
        here.platform.media["m1"] = PNG
        await here.post(picture())
        row = await until_state(here, AttachmentState.FAILED)
        assert row.error == "too_large"
        assert list((tmp_path / "attachments" / "incoming").iterdir()) == []


async def test_a_channel_that_fetches_nothing_keeps_nobody_waiting(tmp_path) -> None:
    async with corridor(tmp_path, capabilities={"webhook": True, "outbound": True}) as here:
        await here.post(picture())
        await here.until_states(SENT)
        given = here.agents.turns[0].message.content.attachments[0]
        assert (given.missing, given.media_id) == ("failed", "m1")
        assert here.platform.fetches == []


async def test_what_was_not_fetched_before_a_crash_is_fetched_after_it(tmp_path) -> None:
    async with corridor(tmp_path, is_running=False) as here:
        await here.post(picture())
        platform, clock = here.platform, here.clock
    platform.media["m1"] = PNG
    async with corridor(tmp_path, platform=platform, clock=clock) as here:
        await here.until_states(SENT)
        assert here.agents.turns[0].message.content.attachments[0].mime == "image/png"


async def test_rule_3_a_lie_about_the_type_shows_nothing(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media["m1"] = b"<script>alert(1)</script>"
        here.platform.claims_mime = "image/png"
        await here.post(picture())
        row = await until_state(here, AttachmentState.STORED)
        assert row.mime == ""
        _, url = await here.attachments.desk.view(row.blob_id)
        assert not (await here.attachments.desk.open(*token_of(url))).is_showable


async def test_a_name_is_never_a_path(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media["m1"] = PNG
        await here.post(picture(name="../../../etc/passwd\n"))
        row = await until_state(here, AttachmentState.STORED)
        assert row.name == "passwd_"
        files = [path for path in (tmp_path / "attachments").rglob("*") if path.is_file()]
        assert [path.name for path in files] == [row.blob_id]


async def test_rule_10_a_channel_cannot_name_stored_bytes_of_its_own_accord(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(picture(media_id=None, blob_id="f" * 32))
        await here.until_states(SENT)
        assert here.agents.turns[0].message.content.attachments[0].blob_id is None


async def test_a_group_message_that_nobody_answers_fetches_nothing(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post({**picture(), "kind": "group", "mentions_bot": False})
        await here.until_messages("no_answer")
        assert here.platform.fetches == []


async def upload(here, tmp_path, content: bytes = PNG, **more):
    path = tmp_path / "upload"
    path.write_bytes(content)
    return await here.attachments.desk.upload(Uploading(path=path, name="pic.png", **more))


async def test_an_upload_is_sent_first_by_its_id(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        row = await upload(here, tmp_path)
        carried = (Attachment("image", blob_id=row.blob_id),)
        await here.sends.send(
            SendRequest("chat", "main", "user", "ann", "", attachments=carried), "k"
        )
        await here.until_states(SENT)
        assert here.platform.arrivals[0].files == (PNG,)


async def test_an_agent_answers_with_what_it_was_given(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media["m1"] = PNG

        async def back(turn):
            return (Reply("here", attachments=turn.message.content.attachments),)

        here.agents.answer_with = back
        await here.post(picture())
        await here.until_states(SENT)
        assert here.platform.arrivals[0].files == (PNG,)


async def test_another_accounts_attachment_cannot_be_sent(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        other = await here.add_account("other")
        row = await upload(here, tmp_path, account_uid=other.uid)
        stolen = Attachment("image", blob_id=row.blob_id)

        async def steal(turn):
            return (Reply("mine now", attachments=(stolen,)),)

        here.agents.answer_with = steal
        await here.post({"id": "1", "peer": "ann", "text": "hi"})
        await here.until_states(SENT)
        assert here.platform.arrivals[0].files == ()
        with pytest.raises(Invalid) as refused:
            request = SendRequest("chat", "main", "user", "ann", "", attachments=(stolen,))
            await here.sends.send(request, "k")
        assert refused.value.faults[0].pointer == "/attachments/0/blob_id"


async def test_links_expire_and_hold_for_one_file_only(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        one, two = await upload(here, tmp_path), await upload(here, tmp_path)
        blob_id, token = token_of((await here.attachments.desk.view(one.blob_id))[1])
        await here.attachments.desk.open(blob_id, token)
        expires, _, signature = token.partition(".")
        later = f"{int(expires) + 9999}.{signature}"
        for wrong in ((two.blob_id, token), (blob_id, later), (blob_id, ""), (blob_id, "1.x"),
                      (blob_id, token[:-1]), ("../" + blob_id, token)):  # fmt: skip
            with pytest.raises(NotFound):
                await here.attachments.desk.open(*wrong)
        here.clock.advance(3600)
        with pytest.raises(NotFound):
            await here.attachments.desk.open(blob_id, token)


async def test_what_nobody_used_for_long_is_removed(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        row = await upload(here, tmp_path)
        here.clock.advance(POLICY.kept_s - 10)
        assert await here.attachments.space.sweep() == 0
        await here.attachments.media.cleared("", (Attachment("image", blob_id=row.blob_id),))
        here.clock.advance(20)
        assert await here.attachments.space.sweep() == 0  # it was used meanwhile
        here.clock.advance(POLICY.kept_s)
        assert await here.attachments.space.sweep() == 1
        assert not list((tmp_path / "attachments").rglob(row.blob_id))
        with pytest.raises(NotFound):
            await here.attachments.desk.view(row.blob_id)


async def test_an_account_has_its_limit_and_old_files_make_room(tmp_path) -> None:
    tight = msgspec.structs.replace(POLICY, max_file_bytes=400_000, max_account_bytes=1_100_000)
    async with corridor(tmp_path, attachment_policy=tight) as here:
        uid = here.book.only("chat").uid
        first = await upload(here, tmp_path, account_uid=uid)
        here.clock.advance(1)
        await upload(here, tmp_path, account_uid=uid)
        third = await upload(here, tmp_path, account_uid=uid)
        with pytest.raises(Invalid):
            await upload(here, tmp_path, account_uid=uid)
        here.clock.advance(tight.settled_s + 1)
        await upload(here, tmp_path, account_uid=uid)
        left = await here.store.attachments.find([first.blob_id, third.blob_id])
        assert [row.blob_id for row in left] == [third.blob_id]


async def test_many_messages_fetch_side_by_side(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.media["m1"] = b"x" * 10
        await here.post(*[{**picture(), "id": str(n), "peer": f"p{n}"} for n in range(30)])
        async with asyncio.timeout(20):
            await here.until(lambda: len(here.platform.arrivals) == 30)
        assert all(turn.message.content.attachments[0].blob_id for turn in here.agents.turns)
        assert len(here.platform.fetches) == 30
