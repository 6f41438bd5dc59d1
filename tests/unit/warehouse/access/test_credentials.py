"""Where a request names its user, and what a log may show of it."""

import base64

import pytest

from warehouse.access.credentials import credentials, redacted


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("parameters", "headers", "expected"),
    [
        ({}, {}, ("default", "")),
        ({"user": "ann", "password": "p&q"}, {}, ("ann", "p&q")),
        ({}, {"x-clickhouse-user": "ann", "x-clickhouse-key": "k"}, ("ann", "k")),
        ({}, basic("ann:a:b"), ("ann", "a:b")),
        ({"user": "url"}, basic("ann:"), ("ann", "")),
        ({"user": "url"}, {"x-clickhouse-user": "ann"}, ("ann", "")),
        ({}, {"authorization": "Basic !"}, ("", "")),
    ],
)
def test_each_way_of_naming_oneself(parameters, headers, expected) -> None:
    assert credentials(parameters, headers) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/?user=a&password=s3cret&x=1", "/?user=a&password=…&x=1"),
        ("/?Password=s3cret", "/?Password=…"),
        ("http://a:s3cret@host/", "http://a:…@host/"),
        ("/?query=SELECT+1", "/?query=SELECT+1"),
    ],
)
def test_a_log_shows_no_password(text: str, shown: str) -> None:
    assert redacted(text) == shown
