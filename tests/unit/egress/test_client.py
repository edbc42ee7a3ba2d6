"""The guarded client against a real server and a name service that a test controls."""

import asyncio
import gzip

import aiohttp
import pytest
from aiohttp import web
from aiohttp.resolver import ThreadedResolver

from tests.ports import own_port
from wunder.egress.answer import FetchFault, FetchKind, Response
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.errors import ConfigInvalid


class Site:
    """A server whose routes a test adds; `localhost` and any name a test invents lead to it."""

    def __init__(self):
        self.app = web.Application()
        self.app.router.add_route("*", "/{path:.*}", self.answer)
        self.routes = {}
        self.seen = []
        self.port = 0
        self.hold = asyncio.Event()

    def route(self, path, answer=None, **response):
        async def usual(request):
            return web.Response(**response)

        self.routes[path] = answer or usual

    async def answer(self, request):
        self.seen.append(request)
        await request.read()
        return await self.routes[request.path](request)

    def url(self, path="/", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
async def site():
    site = Site()
    site.route("/", text="hello")
    runner = web.AppRunner(site.app, shutdown_timeout=1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.port = runner.addresses[0][1]
    yield site
    site.hold.set()
    await runner.cleanup()


@pytest.fixture
async def client():
    client = GuardedClient(EgressPolicy(allow_hosts=("127.0.0.1", "allowed.test")))
    yield client
    await client.close()


@pytest.fixture
async def strict():
    client = GuardedClient()
    yield client
    await client.close()


@pytest.fixture
def names(monkeypatch):
    """A name service: name -> the addresses of each next answer."""
    table: dict[str, list[list[str]]] = {}

    async def resolve(self, host, port=0, family=0):
        answers = table[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            {"hostname": host, "host": one, "port": port, "family": 2, "proto": 0, "flags": 0}
            for one in addresses
        ]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)
    return table


def kind(came):
    assert isinstance(came, FetchFault), came
    return came.kind


async def test_a_whole_answer_of_any_status_comes_back(site, client):
    site.route("/no", status=418, text="tea", headers={"X-A": "b"})
    came = await client.request("POST", site.url("/no"), body=b"x", headers={"X-B": "c"})
    assert isinstance(came, Response)
    assert (came.status, came.body, came.header("x-a")) == (418, b"tea", "b")
    assert came.content_type == "text/plain"
    assert site.seen[0].headers["X-B"] == "c"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "0.0.0.0"])
async def test_rule_10_what_is_not_global_is_refused(site, strict, host):
    assert kind(await strict.request("GET", site.url(host=host))) is FetchKind.REFUSED_ADDRESS
    assert not site.seen


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "127.1",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "127.0.0.1.",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
    ],
)
async def test_rule_10_odd_spellings_of_an_address_do_not_slip_through(site, strict, host):
    assert isinstance(await strict.request("GET", site.url(host=host)), FetchFault)
    assert not site.seen


async def test_rule_10_a_name_with_one_private_address_is_refused(site, strict, names):
    names["mixed.test"] = [["93.184.216.34", "127.0.0.1"]]
    came = await strict.request("GET", site.url(host="mixed.test"))
    assert kind(came) is FetchKind.REFUSED_ADDRESS


async def test_rule_10_a_name_is_resolved_once_and_the_checked_address_is_used(site, client, names):
    names["allowed.test"] = [["127.0.0.1"], ["203.0.113.1"]]
    came = await client.request("GET", site.url(host="allowed.test"))
    assert isinstance(came, Response)
    assert names["allowed.test"] == [["203.0.113.1"]]


async def test_rule_10_a_redirect_is_checked_like_the_first_address(site, names):
    client = GuardedClient(EgressPolicy(allow_hosts=("allowed.test",)))
    names["allowed.test"] = [["127.0.0.1"]]
    for path, target in (("/a", site.url()), ("/b", "http://169.254.169.254/latest")):
        site.route(path, status=302, headers={"Location": target})
        came = await client.request("GET", site.url(path, host="allowed.test"))
        assert kind(came) is FetchKind.REFUSED_ADDRESS
    assert len(site.seen) == 2
    await client.close()


async def test_rule_10_headers_stay_behind_when_the_origin_changes(site, client, names):
    names["allowed.test"] = [["127.0.0.1"]]
    away = site.url("/", host="allowed.test")
    site.route("/away", status=302, headers={"Location": away})
    site.route("/near", status=302, headers={"Location": "/"})
    for path in ("/away", "/near"):
        came = await client.request("GET", site.url(path), headers={"Authorization": "secret"})
        assert isinstance(came, Response)
    assert [one.headers.get("Authorization") for one in site.seen if one.path == "/"] == [
        None,
        "secret",
    ]


async def test_a_post_is_never_sent_on(site, client):
    site.route("/moved", status=307, headers={"Location": "/"})
    came = await client.request("POST", site.url("/moved"), body=b"x")
    assert isinstance(came, Response)
    assert came.status == 307
    assert len(site.seen) == 1


async def test_redirects_end(site, client):
    site.route("/round", status=302, headers={"Location": "/round"})
    assert kind(await client.request("GET", site.url("/round"))) is FetchKind.REDIRECT
    assert len(site.seen) == 4


async def test_an_answer_that_is_too_large_is_cut_off(site, client):
    site.route("/large", text="x" * 200_000)
    came = await client.request("GET", site.url("/large"), max_bytes=100_000)
    assert kind(came) is FetchKind.TOO_LARGE
    came = await client.request("GET", site.url("/large"), max_bytes=200_000)
    assert isinstance(came, Response)


async def test_a_compressed_answer_is_not_unpacked(site, client):
    packed = gzip.compress(b"x" * 1000)
    site.route("/gzip", body=packed, headers={"Content-Encoding": "gzip"})
    assert kind(await client.request("GET", site.url("/gzip"))) is FetchKind.PROTOCOL
    assert site.seen[0].headers["Accept-Encoding"] == "identity"


async def test_an_answer_that_does_not_come_is_a_time_out_that_may_have_arrived(site, client):
    async def hang(request):
        await site.hold.wait()
        return web.Response()

    site.route("/hang", hang)
    came = await client.request("POST", site.url("/hang"), timeout_s=0.05)
    assert kind(came) is FetchKind.TIMEOUT
    assert came.may_have_arrived


async def test_nobody_listening_certainly_got_nothing(client, unused_port):
    came = await client.request("GET", f"http://127.0.0.1:{unused_port}/")
    assert came == FetchFault(FetchKind.CONNECT, may_have_arrived=False)


@pytest.fixture
def unused_port():
    return own_port()


async def test_a_broken_answer_may_have_arrived(site, client):
    async def cut(request):
        request.transport.abort()
        return web.Response()

    site.route("/cut", cut)
    came = await client.request("POST", site.url("/cut"), body=b"x")
    assert came == FetchFault(FetchKind.PROTOCOL, may_have_arrived=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://u:p@a.example/",
        "http://",
        "http://[bad",
        "http://a.example:99999/",
        "http://a.example:x/",
        "http://a.example:0/",
    ],
)
async def test_rule_10_only_plain_web_addresses_are_fetched(strict, url):
    assert kind(await strict.request("GET", url)) is FetchKind.BAD_URL


@pytest.mark.parametrize("place", ["http://[bad", "http://a.example:99999/", "http://:x/", "\x00"])
async def test_rule_10_a_redirect_to_what_is_no_address_is_a_fault_and_no_error(
    site, client, place
):
    async def moved(request):
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
        request.transport.write(head + place.encode() + b"\r\n\r\n")
        await asyncio.Event().wait()

    site.route("/moved", moved)
    came = await client.request("GET", site.url("/moved"), timeout_s=5)
    assert kind(came) in {FetchKind.REDIRECT, FetchKind.PROTOCOL}


async def test_a_stream_ends_when_the_sink_has_enough(site, client):
    async def endless(request):
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for _ in range(1_000_000):
            await answer.write(b"data: x\n\n")
        return answer

    site.route("/endless", endless)
    seen = []

    def sink(answer, chunk):
        seen.append((answer.content_type, len(chunk)))
        return len(seen) == 3

    came = await client.stream("GET", site.url("/endless"), sink=sink)
    assert isinstance(came, Response)
    assert [one[0] for one in seen] == ["text/event-stream"] * 3


async def test_rule_10_a_channels_session_has_the_same_guard(site, strict, client):
    session = strict.session()
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.get(site.url())
    await session.close()
    session = client.session()
    async with session.get(site.url()) as answer:
        assert await answer.text() == "hello"
    await session.close()


async def test_the_accounts_of_built_in_channels_share_their_connections(site, client):
    async def sender(request):
        return web.Response(text=str(request.transport.get_extra_info("peername")))

    site.route("/sender", sender)
    senders = set()
    for _ in range(20):
        async with client.session() as session, session.get(site.url("/sender")) as answer:
            senders.add(await answer.text())

    assert len(senders) == 1


def test_a_wrong_entry_is_a_wrong_setting():
    with pytest.raises(ConfigInvalid, match="allow_hosts"):
        GuardedClient(EgressPolicy(allow_hosts=("http://x",)))
