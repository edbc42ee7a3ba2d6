"""The main job through the front door: set up, account, binding, webhook in, reply out, all of it seen."""

import hashlib
from pathlib import Path
from typing import Any

from tests.journeys.http_gateway import HttpGateway, http_gateway
from tests.journeys.new_channel import package
from wunder.accounts.setup_token import SetupToken
from wunder.model.fault import Fault, FaultKind

ACCOUNT = {
    "channel": "chat",
    "account_id": "main",
    "provider_config": {"app_id": "1", "app_secret": "hunter2"},
}
BINDING = {"channel": "chat", "account_id": "main", "agent_id": "echo"}
HELLO = {"id": "m1", "peer": "u1", "text": "hello"}
PEER = {"kind": "user", "id": "u1"}


async def ready(gateway: HttpGateway) -> dict[str, Any]:
    status, account = await gateway.call("POST", "channels/accounts", ACCOUNT)
    assert status == 201, account
    status, _ = await gateway.call("POST", "channels/bindings", BINDING)
    assert status == 201
    made: dict[str, Any] = account
    return made


async def test_a_message_goes_in_and_its_reply_comes_out_and_every_step_is_shown(
    tmp_path: Path,
) -> None:
    """C1 C2 C3 P1 P7."""
    async with http_gateway(tmp_path) as gateway:
        account = await ready(gateway)
        assert await gateway.webhook(HELLO, account=account["webhook_key"]) == 200
        (delivery,) = await gateway.until("channels/outbox", state="sent")
        assert gateway.platform.texts("u1") == ["hello"]
        _, found = await gateway.call("GET", "channels/messages?text=hello&direction=in")
        (message,) = found["items"]
        _, trail = await gateway.call("GET", f"channels/messages/{message['message_id']}/trail")
        steps = [step["step"] for step in trail["items"]]
        assert steps[0] == "received"
        assert steps[-1] == "sent"
        path = f"channels/outbox/{delivery['delivery_id']}"
        _, attempts = await gateway.call("GET", f"{path}/attempts")
        (attempt,) = attempts["items"]
        assert (attempt["outcome"], attempt["plugin_id"], attempt["account_id"]) == (
            "sent",
            "chat",
            "main",
        )
        assert (await gateway.call("GET", path))[1]["state"] == "sent"
        _, sessions = await gateway.call("GET", "channels/sessions")
        assert [one["agent_id"] for one in sessions["items"]] == ["echo"]


async def test_a_repeat_of_the_platform_is_answered_once(tmp_path: Path) -> None:
    """P2."""
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        assert [await gateway.webhook(HELLO) for _ in range(3)] == [200] * 3
        await gateway.until("channels/outbox", state="sent")
        assert gateway.platform.texts() == ["hello"]


async def test_a_message_without_binding_is_shown_and_can_be_routed_later(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        _, bindings = await gateway.call("GET", "channels/bindings")
        nobody = {**BINDING, "is_enabled": False}
        binding = f"channels/bindings/{bindings['items'][0]['binding_id']}"
        await gateway.call("PUT", binding, nobody)
        _, route = await gateway.call(
            "POST",
            "channels/bindings/test",
            {"channel": "chat", "account_id": "main", "peer_kind": "user", "peer_id": "u1"},
        )
        assert route == {"binding": None}
        await gateway.webhook(HELLO)
        (message,) = await gateway.until("channels/messages?direction=in", state="unrouted")
        await gateway.call("PUT", binding, BINDING)
        again = f"channels/messages/{message['message_id']}/reroute"
        assert await gateway.call("POST", again) == (200, {"moved": 1})
        await gateway.until("channels/outbox", state="sent")
        status, told = await gateway.call("POST", again)
        assert (status, told["code"], told["state"]["state"]) == (409, "message_state", "answered")


async def test_a_message_sent_first_is_sent_once_for_one_key(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        body = {"channel": "chat", "account_id": "main", "peer": PEER, "text": "news"}
        path, key = "channels/messages", {"Idempotency_Key": "order-7"}
        status, first = await gateway.call("POST", path, body, **key)
        assert (status, first["is_new"]) == (202, True)
        assert (await gateway.call("POST", path, body, **key))[1] == {**first, "is_new": False}
        assert (await gateway.call("POST", path, body))[0] == 422
        await gateway.until("channels/outbox", state="sent")
        assert gateway.platform.texts() == ["news"]


async def test_a_delivery_that_failed_is_replayed_after_a_preview(tmp_path: Path) -> None:
    """C4."""
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        gateway.platform.fail(FaultKind.PROVIDER_REJECTED)
        await gateway.webhook(HELLO)
        (failed,) = await gateway.until("channels/outbox", state="failed")
        wanted = {"filter": {"states": ["failed"], "channel": "chat"}}
        path, ids = "channels/outbox/replay", [failed["delivery_id"]]
        _, preview = await gateway.call("POST", path, {**wanted, "dry_run": True})
        group = {"channel": "chat", "account_id": "main", "plugin_id": "chat", "state": "failed"}
        group["error_kind"] = "provider_rejected"
        assert preview == {"total": 1, "groups": [{**group, "count": 1}]}
        assert gateway.platform.texts() == []
        status, job = await gateway.call("POST", path, wanted)
        assert (status, job["total"]) == (202, 1)
        (sent,) = await gateway.until("channels/outbox", state="sent")
        assert (sent["delivery_id"], sent["replays"]) == (ids[0], 1)
        assert (await gateway.call("POST", path, {}))[0] == 422


async def test_a_delivery_that_waits_is_cancelled_and_the_audit_says_by_whom(
    tmp_path: Path,
) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        later = Fault(FaultKind.RATE_LIMITED, retry_after_s=600, scope="message")
        gateway.platform.send_faults.append(later)
        await gateway.webhook(HELLO)
        (waiting,) = await gateway.until("channels/outbox", state="pending", attempts=1)
        wanted = {"ids": [waiting["delivery_id"], "nobody"]}
        path = "channels/outbox/cancel"
        assert await gateway.call("POST", path, wanted) == (
            200,
            {"cancelled": [waiting["delivery_id"]], "left": ["nobody"]},
        )
        await gateway.until("channels/outbox", state="cancelled")
        _, audit = await gateway.call("GET", "audit?limit=1")
        (entry,) = audit["items"]
        assert (entry["action"], entry["subject"]) == ("delivery_cancelled", waiting["delivery_id"])
        assert (await gateway.call("POST", path, wanted))[1]["cancelled"] == []
        assert (await gateway.call("POST", path, {"ids": []}))[0] == 422
        assert (await gateway.call("POST", path, {"ids": ["x"] * 101}))[0] == 422
        await gateway.webhook({**HELLO, "id": "m2", "text": "next"})
        await gateway.until("channels/outbox?state=sent", state="sent")
        assert gateway.platform.texts() == ["next"], "the conversation does not wait for it"


async def test_what_arrived_goes_out_again_only_by_force_and_by_its_id(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        await gateway.webhook(HELLO)
        (sent,) = await gateway.until("channels/outbox", state="sent")
        path, ids = "channels/outbox/replay", [sent["delivery_id"]]
        assert (await gateway.call("POST", path, {"ids": ids, "dry_run": True}))[1]["total"] == 0
        forced = {"ids": ids, "force": True}
        _, preview = await gateway.call("POST", path, {**forced, "dry_run": True})
        assert (preview["total"], preview["groups"][0]["state"]) == (1, "sent")
        by_filter = {"filter": {"states": ["failed"]}, "force": True}
        assert (await gateway.call("POST", path, by_filter))[0] == 422
        status, _ = await gateway.call("POST", path, forced)
        assert status == 202
        _, audit = await gateway.call("GET", "audit?action=replay_forced")
        assert [one["detail"]["deliveries"] for one in audit["items"]] == [ids]
        (again,) = await gateway.until("channels/outbox", state="sent", replays=1)
        assert again["delivery_id"] == ids[0]
        assert gateway.platform.texts() == ["hello", "hello"]


async def test_a_text_that_was_refused_goes_out_corrected_as_another_delivery(
    tmp_path: Path,
) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        gateway.platform.send_faults.append(Fault(FaultKind.PROVIDER_REJECTED))
        await gateway.webhook(HELLO)
        (failed,) = await gateway.until("channels/outbox", state="failed")
        where = f"channels/outbox/{failed['delivery_id']}"
        assert (await gateway.call("POST", f"{where}/correct", {"text": " "}))[0] == 422
        assert (await gateway.call("POST", f"{where}/correct", {}))[0] == 422
        status, new = await gateway.call("POST", f"{where}/correct", {"text": "good day"})
        assert (status, new["predecessor_id"]) == (201, failed["delivery_id"])
        assert new["delivery_id"] != failed["delivery_id"]
        _, audit = await gateway.call("GET", "audit?limit=1")
        (entry,) = audit["items"]
        assert (entry["action"], entry["subject"]) == ("delivery_corrected", failed["delivery_id"])
        assert entry["detail"]["successor"] == new["delivery_id"]
        assert "good day" not in str(entry), "the audit holds no texts"
        await gateway.until("channels/outbox?state=sent", state="sent")
        assert gateway.platform.texts() == ["good day"]
        _, old = await gateway.call("GET", where)
        assert (old["state"], old["successor_id"]) == ("failed", new["delivery_id"])
        trail = f"channels/messages/{failed['root_message_id']}/trail"
        steps = [one["step"] for one in (await gateway.call("GET", trail))[1]["items"]]
        assert steps[-4:] == ["corrected", "queued", "sending", "sent"]
        status, again = await gateway.call("POST", f"{where}/correct", {"text": "good night"})
        assert (status, again["code"]) == (409, "already_corrected")
        assert again["state"]["successor_id"] == new["delivery_id"]
        arrived = f"channels/outbox/{new['delivery_id']}/correct"
        status, refused = await gateway.call("POST", arrived, {"text": "good night"})
        assert (status, refused["code"]) == (409, "delivery_state")
        assert (await gateway.call("POST", "channels/outbox/nobody/correct", {"text": "x"}))[
            0
        ] == 404


async def test_rule_6_secrets_go_in_and_never_come_out(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        account = await ready(gateway)
        assert account["provider_config"] == {"app_id": "1", "app_secret": {"set": True}}
        path = "channels/accounts/chat/main"
        changed = {"provider_config": {"address": "https://elsewhere.example"}}
        status, told = await gateway.call("PATCH", path, changed)
        assert status == 422
        assert "hunter2" not in str(told)
        for listed in ("channels/accounts", "channels/events", "channels/providers"):
            assert "hunter2" not in str(await gateway.call("GET", listed))


async def test_rule_16_writing_secrets_needs_the_scope_of_that_name(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        _, issued = await gateway.call("POST", "tokens", {"name": "a", "scopes": ["admin"]})
        admin, path = issued["token"], "channels/accounts/chat/main"
        for secret in ("other", None):
            config = {"provider_config": {"app_secret": secret}}
            assert (await gateway.call("PATCH", path, config, admin))[0] == 403
        kept = {"provider_config": {"app_secret": {"set": True}}}
        assert (await gateway.call("PATCH", path, kept, admin))[0] == 200
        agent = {"agent_id": "http", "kind": "http", "config": {"signing_secret": "x" * 16}}
        assert (await gateway.call("POST", "agents", agent, admin))[0] == 403


async def test_a_token_hands_out_only_what_it_holds_and_ends_at_once(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        _, issued = await gateway.call("POST", "tokens", {"name": "a", "scopes": ["admin"]})
        admin = issued["token"]
        more = {"name": "b", "scopes": ["read", "approve"]}
        assert (await gateway.call("POST", "tokens", more, admin))[0] == 403
        assert (await gateway.call("GET", "agents", None, admin))[0] == 200
        token_id = issued["view"]["token_id"]
        assert (await gateway.call("DELETE", f"tokens/{token_id}"))[0] == 204
        assert (await gateway.call("GET", "agents", None, admin))[0] == 401
        _, listed = await gateway.call("GET", "tokens")
        assert admin not in str(listed)
        assert [one["is_valid"] for one in listed["items"] if one["token_id"] == token_id] == [
            False
        ]


async def test_rule_16_the_first_run_token_works_once(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        assert gateway.token
        assert SetupToken(tmp_path).read() == ""
        status, told = await gateway.call("POST", "setup", {"token": "guess"}, "")
        assert (status, told["code"]) == (403, "not_allowed")


async def test_who_has_seen_an_old_revision_is_told_the_current_one(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        account = await ready(gateway)
        path, seen = "channels/accounts/chat/main", {"If_Match": f'"{account["rev"]}"'}
        first = await gateway.call("PATCH", path, {"display_name": "A"}, **seen)
        assert first[0] == 200
        status, told = await gateway.call("PATCH", path, {"display_name": "B"}, **seen)
        assert (status, told["code"]) == (409, "rev")
        assert told["state"] == {"rev": first[1]["rev"]}
        wrong = await gateway.call("PATCH", path, {"display_name": "B"}, If_Match="new")
        assert wrong[0] == 422


async def test_an_agent_can_be_tried_and_the_default_one_stays(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        agent = {"agent_id": "loud", "kind": "echo", "config": {"prefix": "! "}}
        assert (await gateway.call("POST", "agents", agent))[0] == 201
        assert (await gateway.call("POST", "agents", agent))[1]["code"] == "agent_exists"
        _, tried = await gateway.call("POST", "agents/loud/try", {"text": "hi"})
        assert [reply["text"] for reply in tried["replies"]] == ["! hi"]
        assert (await gateway.call("DELETE", "agents/echo"))[0] == 409
        assert (await gateway.call("DELETE", "agents/loud"))[0] == 204
        assert (await gateway.call("GET", "agents/loud"))[0] == 404


async def test_a_removed_account_ends_with_its_bindings(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        path = "channels/accounts/chat/main"
        _, impact = await gateway.call("GET", f"{path}/impact")
        assert len(impact["bindings"]) == 1
        assert (await gateway.call("POST", f"{path}/test"))[1]["is_ok"]
        assert (await gateway.call("DELETE", path))[0] == 200
        assert (await gateway.call("GET", path))[0] == 404
        assert (await gateway.call("GET", "channels/bindings"))[1]["items"] == []
        assert await gateway.webhook(HELLO) == 404


async def test_a_plugin_is_reviewed_installed_approved_enabled_and_removed(tmp_path: Path) -> None:
    """N2b N2c, rule 14."""
    async with http_gateway(tmp_path) as gateway:
        content = package("bottle_post")
        _, review = await gateway.upload(content, "?dry_run=true")
        assert (review["plugin_id"], review["is_installed"]) == ("bottle_post", False)
        assert (await gateway.call("GET", "channel_plugins"))[1]["items"] == []
        status, installed = await gateway.upload(content)
        assert status == 201
        assert installed["package_sha256"] == hashlib.sha256(content).hexdigest()
        path = "channel_plugins/bottle_post"
        status, told = await gateway.call("POST", f"{path}/enable")
        assert (status, told["code"]) == (409, "not_approved")
        wrong = {"version": "1.0.0", "sha256": "0" * 64}
        assert (await gateway.call("POST", f"{path}/approve", wrong))[0] == 409
        right = {"version": "1.0.0", "sha256": installed["package_sha256"]}
        assert (await gateway.call("POST", f"{path}/approve", right))[0] == 200
        status, view = await gateway.call("POST", f"{path}/enable")
        assert (status, view["status"]) == (200, "enabled")
        _, runtime = await gateway.call("GET", f"{path}/runtime")
        assert [node["state"] for node in runtime["nodes"]] == ["ready"]
        assert (await gateway.call("GET", f"{path}/logs"))[1] == {"lines": []}
        assert (await gateway.call("DELETE", f"{path}/1.0.0"))[0] == 409
        assert (await gateway.call("POST", f"{path}/disable"))[1]["status"] == "disabled"
        assert (await gateway.call("DELETE", f"{path}/1.0.0"))[1] == {"is_uninstalled": True}
        assert (await gateway.call("GET", path))[0] == 404


async def test_lists_are_read_page_by_page(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        texts = [f"m{number}" for number in range(5)]
        await gateway.webhook(*({"id": text, "peer": "u1", "text": text} for text in texts))
        seen: list[str] = []
        cursor = ""
        while True:
            path = f"channels/messages?direction=in&limit=2&cursor={cursor}"
            _, page = await gateway.call("GET", path)
            seen += [item["text"] for item in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert seen == texts[::-1]


async def test_the_console_learns_channels_and_figures_from_the_server(tmp_path: Path) -> None:
    """N6, U."""
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        _, providers = await gateway.call("GET", "channels/providers")
        (chat,) = (one for one in providers["items"] if one["channel"] == "chat")
        assert (chat["channel"], chat["is_serving"], chat["state"]) == ("chat", True, "in_process")
        assert chat["account_schema"]["required"] == ["app_id"]
        _, monitor = await gateway.call("GET", "channels/monitor")
        assert monitor["figures"]["commits"] > 0
        wanted = {"account_created", "binding_created"}
        told: set[str] = set()
        while not wanted <= told:  # events are written behind message traffic
            _, page = await gateway.call("GET", "channels/events")
            told = {event["name"] for event in page["items"]}


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        token = gateway.token
    async with http_gateway(tmp_path) as gateway:
        gateway.token = token
        assert await gateway.webhook(HELLO) == 200
        await gateway.until("channels/outbox", state="sent")
