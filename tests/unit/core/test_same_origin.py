"""The door's judgement of single headers; how servers use it stands in tests/security."""

import pytest

from core.same_origin import refusal

OWN = ("Host", "127.0.0.1:8123")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1:80", "[::1]:80", "[::1]", "localhost.", "10.0.0.7:8123", "d"]
)
def test_loopback_and_what_was_named_may_be_asked(host: str) -> None:
    assert refusal([("HOST", host)], {"10.0.0.7", "D"}) == ""


@pytest.mark.parametrize(
    "host", ["", "::1", "127.1", "2130706433", "localhost:port", "a b", "d.evil", "127.0.0.1:80:80"]
)
def test_other_hosts_may_not(host: str) -> None:
    assert refusal([("Host", host)], {"d"})


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8123", "HTTP://127.0.0.1:8123"])
def test_a_page_of_this_host_may_ask(origin: str) -> None:
    assert refusal([OWN, ("Origin", origin), ("Sec-Fetch-Site", "same-origin")]) == ""


@pytest.mark.parametrize(
    "origin",
    ["null", "", "127.0.0.1:8123", "http://127.0.0.1", "http://127.0.0.1:81", "x://127.0.0.1:8123"],
)
def test_other_origins_may_not(origin: str) -> None:
    assert refusal([OWN, ("Origin", origin)], linked=True)


def test_a_link_may_lead_only_where_it_is_said() -> None:
    followed = [OWN, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")]
    assert refusal([*followed, ("Sec-Fetch-Dest", "document")], linked=True) == ""
    assert refusal([*followed, ("Sec-Fetch-Dest", "document")])
    assert refusal([*followed, ("Sec-Fetch-Dest", "iframe")], linked=True)
