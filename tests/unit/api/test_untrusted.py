"""Security rule 3: strangers' bytes are sandboxed, never sniffed, and downloaded unless an image."""

import pytest

from wunder.api.untrusted import UntrustedRoute
from wunder.attachments.desk import Served
from wunder.errors import NotFound
from wunder.model.attachment import AttachmentState, StoredAttachment

BLOB = "0" * 32


class Desk:
    def __init__(self, mime: str, name: str = "a.png", content: bytes = b"x" * 300_000) -> None:
        self.content = content
        size = len(content)
        self.row = StoredAttachment(
            BLOB, "", "image", 0, 0, state=AttachmentState.STORED, name=name, mime=mime, size_bytes=size
        )  # fmt: skip

    async def open(self, blob_id, token):
        if (blob_id, token) != (BLOB, "good"):
            raise NotFound
        return Served(self.row)

    async def piece(self, served, offset):
        return self.content[offset : offset + 262_144]


async def get(desk, path=f"/wunder/untrusted/attachments/{BLOB}", query=b"t=good", method="GET"):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": method, "path": path, "query_string": query}
    await UntrustedRoute(desk)(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:])


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/gif", "image/webp"])
async def test_rule_3_an_image_is_shown_in_a_sandbox(mime):
    status, headers, body = await get(Desk(mime))

    assert (status, len(body)) == (200, 300_000)
    assert headers["content-type"] == mime
    assert headers["content-disposition"].startswith("inline")
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "mime", ["", "text/html", "image/svg+xml", "application/pdf", "text/plain"]
)
async def test_rule_3_everything_else_is_a_download(mime):
    _, headers, _ = await get(Desk(mime))

    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment")


async def test_a_name_cannot_leave_its_header():
    _, headers, _ = await get(Desk("", name='a"\r\nX: y;报.txt'))

    assert headers["content-disposition"] == (
        "attachment; filename*=UTF-8''a%22%0D%0AX%3A%20y%3B%E6%8A%A5.txt"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": b"t=bad"},
        {"query": b""},
        {"query": b"t=good&t=good"},
        {"query": b"&".join([b"t=good"] * 100)},
        {"path": "/wunder/untrusted/attachments/../../etc/passwd"},
        {"path": f"/wunder/untrusted/attachments/{BLOB}/"},
        {"path": "/wunder/untrusted/"},
    ],
)
async def test_rule_3_whatever_is_wrong_with_a_link_is_not_found(wrong):
    assert (await get(Desk("image/png"), **wrong))[0] == 404


async def test_it_is_only_read():
    status, headers, _ = await get(Desk("image/png"), method="POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")

    status, _, body = await get(Desk("image/png"), method="HEAD")
    assert (status, body) == (200, b"")
