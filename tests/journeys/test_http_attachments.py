"""Attachments over HTTP: uploaded, looked at, sent; a link opens one file and nothing else."""

import io

import aiohttp

from tests.journeys.http_gateway import http_gateway
from wunder.config import load_config

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 1_000_000
ACCOUNT = {"channel": "chat", "account_id": "main", "provider_config": {"app_id": "1"}}


async def upload(
    here, content: bytes = PNG, name: str = "a.png", token: str | None = None, **fields
):
    form = aiohttp.FormData()
    for key, value in fields.items():
        form.add_field(key, value)
    form.add_field("file", io.BytesIO(content), filename=name, content_type="text/html")
    sent = {"Authorization": f"Bearer {here.token if token is None else token}"}
    url = "/wunder/admin/channels/attachments"
    async with here.http.post(url, data=form, headers=sent) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_file_is_uploaded_looked_at_and_sent(tmp_path) -> None:
    async with http_gateway(tmp_path) as here:
        status, view = await upload(here)
        assert status == 201
        assert (view["kind"], view["mime"], view["size"]) == ("image", "image/png", len(PNG))
        async with here.http.get(view["url"]) as answer:
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
            assert await answer.read() == PNG
        assert (await here.call("POST", "channels/accounts", ACCOUNT))[0] == 201
        message = {
            "channel": "chat",
            "account_id": "main",
            "peer": {"kind": "user", "id": "ann"},
            "attachments": [{"kind": "image", "blob_id": view["blob_id"]}],
        }
        sent = await here.call("POST", "channels/messages", message, Idempotency_Key="k1")
        assert sent[0] == 202
        await here.until("channels/outbox", state="sent")
        assert here.platform.arrivals[0].files == (PNG,)


async def test_a_stored_id_that_is_none_is_named_by_its_place(tmp_path) -> None:
    async with http_gateway(tmp_path) as here:
        await here.call("POST", "channels/accounts", ACCOUNT)
        message = {
            "channel": "chat",
            "account_id": "main",
            "peer": {"kind": "user", "id": "ann"},
            "text": "x",
            "attachments": [{"kind": "image", "blob_id": "f" * 32}],
        }
        status, problem = await here.call(
            "POST", "channels/messages", message, Idempotency_Key="k1"
        )
        assert status == 422
        assert problem["errors"][0]["pointer"] == "/attachments/0/blob_id"


async def test_what_a_person_sent_is_found_by_the_operator(tmp_path) -> None:
    async with http_gateway(tmp_path) as here:
        here.platform.media["m1"] = b"<script>1</script>"
        await here.call("POST", "channels/accounts", ACCOUNT)
        binding = {"channel": "chat", "account_id": "main", "agent_id": "echo"}
        await here.call("POST", "channels/bindings", binding)
        brought = [{"kind": "file", "media_id": "m1", "name": "x.html"}]
        await here.webhook({"id": "1", "peer": "ann", "text": "see", "attachments": brought})
        await here.until("channels/messages?direction=in", state="answered")
        found = await here.wired.store.attachments.due(2**60, 1)
        assert found == []
        row = (await here.wired.store.attachments.unused_since(2**60, 1))[0]
        status, view = await here.call("GET", f"channels/attachments/{row.blob_id}")
        assert (status, view["source"], view["state"]) == (200, "message", "stored")
        async with here.http.get(view["url"]) as answer:
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith("attachment")
        wrong = view["url"].replace(row.blob_id, "0" * 32)
        async with here.http.get(wrong) as answer:
            assert answer.status == 404


async def test_uploads_need_a_scope_a_file_and_room(tmp_path) -> None:
    async with http_gateway(tmp_path) as here:
        _, reader = await here.call("POST", "tokens", {"name": "r", "scopes": ["read"]})
        _, sender = await here.call("POST", "tokens", {"name": "s", "scopes": ["send"]})
        assert (await upload(here, token=reader["token"]))[0] == 403
        assert (await upload(here, token=""))[0] == 401
        assert (await upload(here, token=sender["token"]))[0] == 201
        assert (await upload(here, kind="cat"))[0] == 422
        assert (await upload(here, channel="chat", account_id="nobody"))[0] == 422
        limit = load_config(None, {}).attachments.max_file_bytes
        assert (await upload(here, bytes(limit + 1)))[0] == 422
        assert not list((tmp_path / "uploads").iterdir())
