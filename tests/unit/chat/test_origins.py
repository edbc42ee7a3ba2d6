"""Which sites may show a page."""

import pytest

from wunder.chat.origins import OWN, frame_ancestors, is_allowed, normal

LIST = ("https://www.example.com", "http://localhost:3000", "https://*.partner.example")


@pytest.mark.parametrize(
    "origin",
    [
        OWN,
        "https://www.example.com",
        "HTTPS://WWW.EXAMPLE.COM",
        "https://www.example.com:443",
        "http://localhost:3000",
        "https://a.partner.example",
        "https://a.b.partner.example",
    ],
)
def test_a_site_on_the_list_may(origin: str) -> None:
    assert is_allowed(origin, LIST)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "unknown",
        "http://www.example.com",
        "https://www.example.com:8443",
        "https://www.example.com.evil.example",
        "https://evil.example/https://www.example.com",
        "https://www.example.com@evil.example",
        "https://partner.example",
        "https://evilpartner.example",
        "https://*.partner.example",
        "http://a.partner.example",
        "https://www.example.com " + "x" * 300,
        "javascript:alert(1)",
    ],
)
def test_a_site_that_is_not_on_it_may_not(origin: str) -> None:
    assert not is_allowed(origin, LIST)


def test_an_empty_list_allows_our_own_pages_only() -> None:
    assert is_allowed(OWN, ())
    assert not is_allowed("https://www.example.com", ())
    assert frame_ancestors(()) == "'self'"


def test_nothing_on_the_list_leaves_its_place_in_the_header() -> None:
    wrong = ("https://a.example; script-src *", "* 'unsafe-inline'", "https://b.example\r\nX: y")
    assert frame_ancestors((*wrong, *LIST)) == (
        "'self' http://localhost:3000 https://*.partner.example https://www.example.com"
    )


def test_an_origin_is_written_as_browsers_write_it() -> None:
    assert normal("http://[::1]:8080/") == "http://[::1]:8080"
    assert normal("http://Example.com:80") == "http://example.com"
