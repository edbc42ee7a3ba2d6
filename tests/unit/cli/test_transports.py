"""One client over two ways to a gateway: a socket, or the app opened in this process."""

import asyncio
import contextlib
import json
import socket
import threading

import pytest
import uvicorn

from wunder.cli.asgi_transport import AsgiTransport
from wunder.cli.client import Client, Upload, path_of
from wunder.cli.failure import BAD_USAGE, FAILED, CommandFailed
from wunder.cli.http_transport import HttpTransport
from wunder.errors import DataDirRefused

PROBLEM = {
    "title": "Conflict",
    "status": 409,
    "code": "rev",
    "detail": "somebody was faster",
    "errors": [{"pointer": "/a", "code": "wrong", "message": "is wrong"}],
    "trace_id": "t-1",
}


async def app(scope, receive, send):
    """Echo what was asked; `/refuse`, `/early`, `/bare` and `/pages` answer otherwise."""
    path = scope["path"]
    if path == "/early":
        await _answer(send, 413, {"status": 413, "detail": "too large"}, "application/problem+json")
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if path == "/refuse":
        await _answer(send, 409, PROBLEM, "application/problem+json")
    elif path == "/bare":
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"oops"})
    elif path == "/nothing":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    elif path == "/pages":
        start = int(scope["query_string"].decode().partition("cursor=")[2].partition("&")[0] or 0)
        items = list(range(start, min(start + 100, 250)))
        following = str(start + 100) if start + 100 < 250 else ""
        await _answer(send, 200, {"items": items, "next_cursor": following})
    else:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        await _answer(
            send,
            200,
            {
                "method": scope["method"],
                "path": path,
                "raw_path": scope["raw_path"].decode(),
                "query": scope["query_string"].decode(),
                "headers": headers,
                "body": body.decode("latin-1"),
            },
        )


async def _answer(send, status, document, kind="application/json"):
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


@contextlib.asynccontextmanager
async def opened():
    yield app, "wndr_offline"


@pytest.fixture(params=["http", "asgi"])
def client(request):
    if request.param == "asgi":
        transport = AsgiTransport(opened(), "/data")
        with Client(transport, transport.token, "zh-CN") as found:
            yield found
        return
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        with Client(HttpTransport(f"http://127.0.0.1:{port}"), "wndr_offline", "zh-CN") as found:
            yield found
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def test_a_request_carries_token_language_query_and_json(client):
    seen = client.post("/a", {"text": "早"}, {"dry_run": True, "left_out": None}, {"x-key": "k"})
    assert (seen["method"], seen["path"], seen["query"]) == ("POST", "/a", "dry_run=true")
    assert seen["headers"]["authorization"] == "Bearer wndr_offline"
    assert seen["headers"]["accept-language"] == "zh-CN"
    assert seen["headers"]["x-key"] == "k"
    assert seen["headers"]["content-length"] == str(len(seen["body"]))
    assert json.loads(seen["body"].encode("latin-1")) == {"text": "早"}


def test_a_change_names_the_revision_it_has_seen(client):
    assert client.patch("/a", {}, 3)["headers"]["if-match"] == "3"
    assert client.put("/a", {}, 4)["headers"]["if-match"] == "4"
    assert "if-match" not in client.delete("/a")["headers"]


def test_an_id_cannot_leave_its_place_in_the_path(client):
    seen = client.get("/x" + path_of("../../tokens?a=b#c", "ü"))
    assert seen["raw_path"].partition("?")[0] == "/x/..%2F..%2Ftokens%3Fa%3Db%23c/%C3%BC"


def test_a_list_is_read_page_after_page_until_there_are_enough(client):
    assert list(client.items("/pages")) == list(range(250))
    assert list(client.items("/pages", {"state": "failed"}, 120)) == list(range(120))


def test_an_answer_without_a_body_is_nothing(client):
    assert client.delete("/nothing") is None


def test_a_refusal_says_what_where_and_what_to_do(client):
    with pytest.raises(CommandFailed) as failure:
        client.post("/refuse", {})
    refused = failure.value
    assert (refused.what, refused.exit_code) == ("somebody was faster", FAILED)
    assert refused.where.startswith("POST /refuse at ")
    assert refused.advice == ("/a: is wrong (wrong)", "in the gateway's log: trace_id t-1")
    assert refused.document == PROBLEM


def test_an_answer_that_is_no_problem_document_is_named_by_its_status(client):
    with pytest.raises(CommandFailed, match="answered 500 without saying why"):
        client.get("/bare")


def test_a_file_is_uploaded_in_pieces_beside_its_fields(client):
    pieces = iter([b"PK", b"\x00\xff" * 50_000])
    seen = client.upload("/u", Upload('a"\r\n.zip', pieces, 100_002), {"sha256": "abc"})
    body = seen["body"].encode("latin-1")
    boundary = seen["headers"]["content-type"].partition("boundary=")[2].encode()
    field, file = body.split(b"--" + boundary)[1:3]
    assert field.endswith(b'name="sha256"\r\n\r\nabc\r\n')
    assert b'filename="a%22%0D%0A.zip"' in file
    assert file.partition(b"\r\n\r\n")[2] == b"PK" + b"\x00\xff" * 50_000 + b"\r\n"


def test_a_gateway_may_refuse_an_upload_before_it_has_read_it(client):
    pieces = (b"x" * 65_536 for _ in range(320))
    with pytest.raises(CommandFailed, match="too large"):
        client.upload("/early", Upload("a.zip", pieces, 320 * 65_536), {})


def test_nobody_at_the_address_is_said_with_advice():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CommandFailed, match="cannot be reached: connection refused") as failure:
        Client(HttpTransport(f"http://127.0.0.1:{port}"), "").get("/")
    assert failure.value.advice


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8080", "ftp://x", "http://", "http://a:99999", "http://a:b", "http://[::1"],
)
def test_an_address_that_is_none_is_bad_usage(url: str):
    with pytest.raises(CommandFailed) as failure:
        HttpTransport(url)
    assert failure.value.exit_code == BAD_USAGE


def test_a_store_that_cannot_be_opened_says_why():
    class Refusing(contextlib.AbstractAsyncContextManager):
        async def __aenter__(self):
            raise DataDirRefused("/data is in use by process 7")

        async def __aexit__(self, *_):
            """Never reached."""

    with pytest.raises(DataDirRefused, match="process 7"):
        AsgiTransport(Refusing(), "/data")


def test_closing_leaves_what_was_opened():
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def watched():
        events.append("opened")
        yield app, ""
        events.append("closed")

    with Client(AsgiTransport(watched(), "/data"), "") as found:
        found.get("/a")
    assert events == ["opened", "closed"]
