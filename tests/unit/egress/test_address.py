"""Which addresses are the public internet, and which hosts an operator allows."""

import pytest

from wunder.egress.address import allowed_hosts, is_allowed, is_global, literal


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_global(address):
    assert is_global(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "192.0.0.8",
        "192.88.99.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "2002:101:101::",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001:0:7f00:1::",
        "not an address",
        "127.1",
    ],
)
def test_rule_10_everything_else_is_not(address):
    assert not is_global(address)


def test_rule_10_a_host_is_allowed_on_the_port_it_names_or_on_any():
    allowed = allowed_hosts(["Ollama.Internal", "10.0.0.5:8080", "[::1]:99", "fd00::2"])
    assert is_allowed("ollama.internal", 11434, allowed)
    assert is_allowed("ollama.internal.", 80, allowed)
    assert is_allowed("10.0.0.5", 8080, allowed)
    assert not is_allowed("10.0.0.5", 8081, allowed)
    assert is_allowed("::1", 99, allowed)
    assert not is_allowed("::1", 98, allowed)
    assert is_allowed("[fd00:0::2]", 1, allowed)
    assert not is_allowed("evil.ollama.internal", 80, allowed)


@pytest.mark.parametrize("entry", ["", "host:", "host:0x", "host:99999", "http://host", "host:-1"])
def test_an_entry_that_is_no_host_is_named(entry):
    with pytest.raises(ValueError, match="is no host"):
        allowed_hosts([entry])


def test_a_literal_is_told_from_a_name():
    assert literal("[::1]") == "::1"
    assert literal("127.0.0.1") == "127.0.0.1"
    assert literal("example.org") is None
