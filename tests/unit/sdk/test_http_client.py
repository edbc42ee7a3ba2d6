"""The client tells what certainly did not arrive from what may have."""

import asyncio

import aiohttp
import pytest

from tests.ports import own_port
from tests.waiting import until
from wunder_sdk import lazy
from wunder_sdk.errors import AccountConfigInvalid, OutcomeUnknown, ProviderUnavailable, TooLarge
from wunder_sdk.http_client import MAX_ANSWER_BYTES, HttpClient, Writes, current_writes
from wunder_sdk.process_host import ProcessHost


class Platform:
    """A small HTTP server that answers what the test wants, or hangs up."""

    def __init__(self):
        self.answer = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'
        self.requests = []
        self.connections = 0
        self.hangs = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.keeps_open = False

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            await self.answer_one(reader, writer)
            while self.keeps_open:
                await self.answer_one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # Somebody knocked who speaks no HTTP, or left.
        finally:
            writer.close()

    async def answer_one(self, reader, writer):
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        if self.hangs:
            await reader.read()
        else:
            await self.goes_on.wait()
            writer.write(self.answer)
            await writer.drain()


@pytest.fixture
async def platform():
    platform = Platform()
    server = await asyncio.start_server(platform.serve, "127.0.0.1", 0)
    platform.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    yield platform
    server.close()


@pytest.fixture
async def client():
    client = HttpClient(lambda: lazy.new_http_session(2, 1))
    yield client
    await client.close()


@pytest.fixture
async def writes():
    writes = Writes()
    token = current_writes.set(writes)
    yield writes
    current_writes.reset(token)


@pytest.fixture
def closed_url():
    return f"http://127.0.0.1:{own_port()}/"


async def test_an_answer_comes_whole_whatever_its_status(client, platform):
    platform.answer = b"HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}"

    answer = await client.post(platform.url, json={"text": "é"}, headers={"X-A": "b"})

    assert (answer.status, answer.ok, answer.json()) == (429, False, {})
    assert answer.headers["retry-after"] == "3"
    assert b"X-A: b" in platform.requests[0]
    assert b"Content-Type: application/json" in platform.requests[0]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_connection_certainly_sent_nothing(client, closed_url, method, writes):
    token = current_writes.set(writes)
    with pytest.raises(ProviderUnavailable) as caught:
        await client.request(method, closed_url)
    current_writes.reset(token)

    assert caught.value.outcome == "not_sent"
    assert not writes.may_have_written


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/", "https://127.0.0.1:{port}/"])
async def test_no_name_and_no_tls_sent_nothing(client, platform, url):
    port = platform.url.split(":")[2].split("/")[0]
    with pytest.raises(ProviderUnavailable):
        await client.post(url.format(port=port))


async def test_a_hang_up_after_writing_leaves_the_outcome_unknown(client, platform):
    platform.answer = b""
    writes = Writes()
    token = current_writes.set(writes)
    with pytest.raises(OutcomeUnknown) as caught:
        await client.post(platform.url, data=b"x")
    current_writes.reset(token)

    assert caught.value.outcome == "unknown"
    assert writes.may_have_written


async def test_no_answer_in_time_leaves_the_outcome_unknown(client, platform):
    platform.hangs = True
    with pytest.raises(OutcomeUnknown):
        await client.post(platform.url, data=b"x", timeout_s=0.05)


@pytest.fixture
async def passes(monkeypatch):
    """Let seconds pass by the loop's clock."""
    loop = asyncio.get_running_loop()

    async def passes(seconds):
        clock = loop.time
        monkeypatch.setattr(loop, "time", lambda: clock() + seconds)
        for _ in range(10):
            await asyncio.sleep(0)

    return passes


async def test_a_request_may_take_as_long_as_it_was_given(client, platform, passes):
    platform.goes_on.clear()
    asked = asyncio.create_task(client.post(platform.url, timeout_s=30))
    await until(lambda: platform.requests)
    await passes(20)
    platform.goes_on.set()

    assert (await asked).ok


async def test_a_request_that_takes_longer_than_it_was_given_is_given_up(client, platform, passes):
    platform.hangs = True
    asked = asyncio.create_task(client.get(platform.url, timeout_s=30))
    await until(lambda: platform.requests)
    await passes(30.01)

    with pytest.raises(ProviderUnavailable):
        await asked


def test_a_limit_is_not_rounded_up_to_the_second_in_which_the_host_gives_up():
    limit = lazy.time_limit(9.0, 3.0)
    assert (limit.total, limit.sock_connect) == (9.0, 3.0)
    assert limit.ceil_threshold >= 9.0


async def test_a_file_may_take_as_long_as_the_host_waits_for_it(client, platform, passes):
    platform.goes_on.clear()

    async def fetch():
        async with client.download(platform.url) as answer:
            return await answer.content.read()

    asked = asyncio.create_task(fetch())
    await until(lambda: platform.requests)
    await passes(50)
    platform.goes_on.set()

    assert await asked == b'{"ok":true}'


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"])
async def test_a_file_that_breaks_off_is_unavailable(client, platform, answer):
    platform.answer = answer
    with pytest.raises(ProviderUnavailable):
        async with client.download(platform.url) as opened:
            await opened.content.read()


@pytest.mark.parametrize("options", [{}, {"safe": True}])
async def test_a_safe_request_without_an_answer_is_only_unavailable(client, platform, options):
    platform.answer = b""
    with pytest.raises(ProviderUnavailable):
        await client.request("POST" if options else "GET", platform.url, **options)


async def test_an_answer_that_breaks_off_is_unknown(client, platform):
    platform.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with pytest.raises(OutcomeUnknown):
        await client.post(platform.url)


async def test_an_answer_that_is_no_json_is_unknown_after_a_write(client, platform):
    platform.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops"
    with pytest.raises(OutcomeUnknown):
        (await client.post(platform.url)).json()
    with pytest.raises(ProviderUnavailable):
        (await client.get(platform.url)).json()


async def test_an_endless_answer_is_cut(client, platform):
    size = MAX_ANSWER_BYTES + 2
    platform.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    with pytest.raises(TooLarge):
        await client.get(platform.url)
    with pytest.raises(OutcomeUnknown):
        await client.post(platform.url)


async def test_what_is_no_url_is_a_matter_of_configuration(client):
    with pytest.raises(AccountConfigInvalid):
        await client.get("http://[broken/")


async def test_redirects_are_not_followed(client, platform):
    platform.answer = (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    )

    assert (await client.get(platform.url)).status == 302


async def test_the_url_never_shows_in_an_error(client, closed_url):
    with pytest.raises(ProviderUnavailable) as caught:
        await client.get(closed_url + "bot123:token/getMe")

    assert "token" not in caught.value.message


async def test_the_raw_session_counts_as_a_write(client):
    writes = Writes()
    token = current_writes.set(writes)
    assert isinstance(client.session, aiohttp.ClientSession)
    current_writes.reset(token)

    assert writes.may_have_written


async def test_a_thousand_accounts_of_a_process_share_their_connections(platform):
    host = ProcessHost(None)
    platform.keeps_open = True

    for number in range(1000):
        client = HttpClient(lambda name=f"a{number}": host.http_session(name))
        assert (await client.get(platform.url)).ok
        await client.close()

    assert platform.connections == 1
    await host.close()


def test_an_address_that_the_gateway_refuses_is_not_called_an_unknown_name() -> None:
    refused = ConnectionError("dns")
    refused.os_error = PermissionError("refused_address")  # type: ignore[attr-defined]
    assert lazy.name(refused).startswith("refused_address")
    unknown = ConnectionError("dns")
    unknown.os_error = OSError("no such name")  # type: ignore[attr-defined]
    assert lazy.name(unknown) == "ConnectionError"
