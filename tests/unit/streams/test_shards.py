"""How a flow is cut: every feed has one owner, and one shard more takes from the others only."""

import pytest

from core.errors import SettingsError
from core.sections import StreamsSettings
from streams.shards import Part, Shards, names, of_flow, owner

FEEDS = [f"broker{n % 7}.SYMBOL{n}" for n in range(4_000)]


def test_each_shard_owns_about_as_many_feeds() -> None:
    owned = [[owner(feed, 4) for feed in FEEDS].count(number) for number in range(4)]
    assert sum(owned) == len(FEEDS)
    assert min(owned) > 0.9 * len(FEEDS) / 4


def test_a_shard_more_takes_its_share_and_nothing_else_changes_hands() -> None:
    moved = [feed for feed in FEEDS if owner(feed, 4) != owner(feed, 5)]
    assert {owner(feed, 5) for feed in moved} == {4}
    assert 0.8 * len(FEEDS) / 5 < len(moved) < 1.2 * len(FEEDS) / 5


def test_who_owns_a_feed_never_changes_between_versions() -> None:
    symbols = ("EURUSD", "XAUUSD", "BTCUSD", "GBPUSD", "USDJPY", "AUDUSD")
    assert [owner(f"oanda.{symbol}", 4) for symbol in symbols] == [1, 0, 3, 3, 1, 2]


def test_a_feed_has_one_owner_and_is_followed_where_a_strategy_sees_it_beside_an_own_one() -> None:
    symbols = [f"S{n}" for n in range(12)]
    shards = Shards(3, (("S0", "S1"), ("S1", "S2", "S3")))
    for symbol in symbols:
        parts = [shards.part(number, "x", symbol) for number in range(3)]
        assert parts.count(Part.OWN) == 1
        beside = {"S0": "01", "S1": "0123", "S2": "123", "S3": "123"}.get(symbol, "")
        owners = {owner(f"x.S{one}", 3) for one in beside} - {owner(f"x.{symbol}", 3)}
        assert {n for n, part in enumerate(parts) if part is Part.FOLLOWED} == owners
    assert Shards().part(0, "x", "S0") is Part.OWN


def test_a_shard_that_is_none_is_refused() -> None:
    assert of_flow("ticks", StreamsSettings(shards=4, shard=3)) == 4
    assert of_flow("executions", StreamsSettings(shards=4, account_shards=2, shard=1)) == 2
    assert [*names("streams.ticks", 1)] == ["streams.ticks"]
    assert [*names("streams.ticks", 2)] == ["streams.ticks.0", "streams.ticks.1"]
    for wrong in (
        StreamsSettings(shards=4, shard=4), StreamsSettings(shards=4, shard=-1),
        StreamsSettings(shards=0), StreamsSettings(shards=2, addresses=("h:1", "h:2")),
        StreamsSettings(shard=1),
    ):  # fmt: skip
        with pytest.raises(SettingsError):
            of_flow("signals", wrong)
