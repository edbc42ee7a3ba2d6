"""What a plugin can import, and what it costs."""

import asyncio
import compileall
import json
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

import wunder_sdk
from wunder_sdk import boot
from wunder_sdk.plugin_process import PluginError, PluginProcess
from wunder_sdk.wire_loop import SOCKET_READ_BYTES

pytestmark = pytest.mark.process

#: The promise to operators for a plugin that waits (spec: architecture, Targets), in bytes.
IDLE_MAX = 12_000_000
#: One that works has the faster codec as well: 0.9 MB, and what the interpreter's build adds or spares.
IN_USE_MAX = 12_500_000


@pytest.mark.parametrize("name", ["wunder", "pytest", "wunder_channels", "hypothesis", "pip"])
def test_the_rest_of_the_gateways_environment_is_out_of_reach(order, name):
    assert order("import", name=name) == f"refused: No module named '{name}'"


@pytest.mark.parametrize(
    "name",
    ["aiohttp", "msgspec", "cryptography.hazmat.primitives.asymmetric.ed25519", "wunder_wire.fast"],
)
def test_the_listed_modules_import_with_all_they_need(order, name):
    assert order("import", name=name) == "found"


def test_vendored_modules_are_found(app, order):
    (app / "vendor").mkdir()
    (app / "vendor" / "mine.py").write_text("x = 1\n")

    assert order("import", name="mine") == "found"


def test_every_listed_module_exists_or_is_optional():
    optional = {"pycparser", "attrs", "typing_extensions", "cffi", "_cffi_backend"}
    finder = boot.HostModules(boot.host_modules(), [*boot.host_folders(), *sys.path])

    missing = {name for name in boot.host_modules() if finder.find_spec(name) is None}

    assert missing <= optional


def test_a_module_without_a_channel_is_refused(app):
    (app / "plugin.py").write_text("x = 1\n")
    with PluginProcess.python(app) as plugin:
        assert plugin.wait() == 1
        assert "expected one Channel class" in plugin.log


def test_the_entry_can_name_module_and_class(app):
    (app / "plugin.py").rename(app / "other.py")
    with PluginProcess.python(app, "other:Lab") as plugin:
        assert plugin.handshake()["protocol"] == 1


def test_tls_works_although_asyncio_started_without_it(order, tmp_path, app):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            *["-nodes", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert)],
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def greet(reader, writer):
        writer.write(b"over tls\n")
        await writer.drain()
        writer.close()

    async def run():
        async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.to_thread(order, "https", port=port)

    assert asyncio.run(run()) == "over tls"


def test_sockets_are_read_in_pieces_that_are_not_mapped_for_each_read(order):
    async def pour(_reader, writer):
        writer.write(b"x" * 32 * SOCKET_READ_BYTES)
        await writer.drain()
        writer.close()

    async def run():
        async with await asyncio.start_server(pour, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.to_thread(order, "largest_piece", port=port)

    assert int(asyncio.run(run())) <= SOCKET_READ_BYTES


def test_what_only_some_channels_need_is_loaded_by_those_alone():
    code = "import sys, wunder_sdk.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    optional = {f"wunder_sdk.{name}" for name in ("splitting", "loose_json", "recent_keys")}
    heavy = {"wunder_sdk.aes_cbc", "cryptography", "aiohttp"}
    assert not (optional | heavy) & set(done.stdout.split())


def test_a_plugin_without_http_stays_small(app, params_for):
    source = Path(wunder_sdk.__file__).parents[1]
    for package in ("wunder_sdk", "wunder_wire"):
        compileall.compile_dir(source / package, quiet=2)
    with PluginProcess.python(app) as neighbour, PluginProcess.python(app) as plugin:
        for one in (neighbour, plugin):
            one.handshake()
        idle = plugin.private_bytes()
        for one in (neighbour, plugin):  # both: the pages of a library that two map are shared
            for _ in range(400):
                one.call("channel.parse_inbound", params_for(do="nothing"))
        in_use = plugin.private_bytes()

        assert idle <= IDLE_MAX
        assert in_use <= IN_USE_MAX


def test_the_manifest_is_read_leniently(tmp_path):
    app = tmp_path / "app"
    assert boot.identity(str(app)) == ("", "")
    (tmp_path / "plugin.json").write_text(json.dumps({"plugin_id": "x"}))
    assert boot.identity(str(app)) == ("", "")


def test_errors_of_the_plugin_are_raised_by_the_driver(plugin):
    with pytest.raises(PluginError, match="no such method"):
        plugin.call("channel.unknown", {})
