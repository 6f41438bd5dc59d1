"""What is now, from memory: as fresh as the bus, with an entity tag that changes with it."""

from pathlib import Path
from typing import Any

import pytest

from api.now import NowLists
from dashboards.live.items import Items
from tests.support.api_desk import ApiDesk, problem_of

QUOTE = {
    "source": "sim", "symbol": "EURUSD", "bid": 1.1, "ask": 1.2, "time": 1_700_000_000_123_456,
    "received": 1_700_000_000_123_999, "digits": 5,
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> ApiDesk:
    desk = ApiDesk(tmp_path)
    desk.key()
    return desk


def test_a_quote_as_it_is_now(desk: ApiDesk) -> None:
    desk.items.put("quote|sim/EURUSD", QUOTE)
    assert desk.get("/v1/now/quotes").json()["data"] == [
        {
            "source": "sim", "symbol": "EURUSD", "bid": 1.1, "ask": 1.2,
            "ts_event": "2023-11-14T22:13:20.123456Z", "ts_recv": "2023-11-14T22:13:20.123999Z",
        }
    ]  # fmt: skip
    desk.items.put("quote|sim/EURUSD", QUOTE | {"bid": 1.15})
    assert desk.get("/v1/now/quotes").json()["data"][0]["bid"] == 1.15


def test_what_has_not_changed_is_not_sent_again(desk: ApiDesk) -> None:
    desk.items.put("quote|sim/EURUSD", QUOTE)
    etag = desk.get("/v1/now/quotes").headers["etag"]
    desk.items.put("now", 1)  # of another kind
    again = desk.get("/v1/now/quotes", if_none_match=f'"other", {etag}')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    desk.items.put("quote|sim/EURUSD", QUOTE | {"bid": 1.15})
    assert desk.get("/v1/now/quotes", if_none_match=etag).status_code == 200


def test_what_is_gone_is_gone(desk: ApiDesk) -> None:
    order = {
        "feed": "sim/EURUSD", "time": 1, "kind": "accepted", "side": "buy", "purpose": "entry",
        "volume": 1.0, "price": 1.1, "stop": 1.0,
    }  # fmt: skip
    desk.items.put("order|a", order)
    assert [row["order_id"] for row in desk.get("/v1/now/orders").json()["data"]] == ["a"]
    desk.items.put("order|a", None)
    assert desk.get("/v1/now/orders").json()["data"] == []


def test_what_was_forgotten_between_two_looks_is_gone_too() -> None:
    items = Items(gone=2)
    lists = NowLists(items)
    value: dict[str, Any] = {"up": True, "since": 1, "problem": ""}
    for name in "abcdef":
        items.put(f"link|{name}", value)
    assert lists.lists["links"].answer()[0].count(b"name") == 6
    before = lists.lists["links"].answer()[1]
    for name in "abcde":
        items.put(f"link|{name}", None)
    body, etag = lists.lists["links"].answer()
    assert body.count(b"name") == 1
    assert b'"f"' in body
    assert etag != before


def test_it_takes_no_parameters(desk: ApiDesk) -> None:
    assert problem_of(desk.get("/v1/now/quotes?symbol=EURUSD")) == "parameter"
