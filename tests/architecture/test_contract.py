"""What people's scripts rely on leaves with two minor versions' notice."""

import itertools
from pathlib import Path

import pytest

from docs import contract

TODAY = (0, 4, 0)
PROMISED = {"table tick bid Decimal(18, 8)", "command sql"}


@pytest.fixture(scope="module")
def now() -> set[str]:
    """Today's names, from a fresh warehouse and the code."""
    return contract.items()


def test_nothing_of_the_last_release_is_gone_before_its_time(now):
    released, path = list(contract.releases().items())[-1]
    version = contract.parsed(contract.product_version())
    assert released <= version
    gone = contract.broken(now, contract.read(path), contract.announced(), version)
    assert gone == [], "bring it back (a view does), and announce it in docs/contracts/leaving.txt"


def test_each_release_kept_what_the_one_before_promised():
    releases = list(contract.releases().items())
    assert releases[0][0] == (0, 1, 0)
    for (_, before), (version, after) in itertools.pairwise(releases):
        kept = contract.read(after)
        assert contract.broken(kept, contract.read(before), contract.announced(), version) == []


def test_every_kind_of_name_is_in_it(now):
    for name in (
        "table bar bid_open Decimal(18, 8)",
        "table tick ts_event DateTime64(6, 'UTC')",
        "view bars(seconds)",
        "mart fct_trade profit_net Float64",
        "topic signals Signal/1",
        "command replay --train-first",
        "json replay reconciled",
        "python connect",
        "python Connection.trades",
    ):
        assert name in now


def test_a_name_that_is_gone_is_told_and_a_new_one_is_not():
    now = {"command sql", "command new"}
    assert contract.broken(now, PROMISED, {}, TODAY) == ["table tick bid Decimal(18, 8)"]


@pytest.mark.parametrize(("announced_in", "gone"), [((0, 2, 0), 0), ((0, 3, 0), 1), ((0, 4, 0), 1)])
def test_a_name_leaves_two_minor_versions_after_it_was_announced(announced_in, gone):
    leaving = {"command sql": announced_in}
    now = PROMISED - {"command sql"}
    assert len(contract.broken(now, PROMISED, leaving, TODAY)) == gone


def test_an_announcement_names_its_version_and_the_line(tmp_path: Path):
    (tmp_path / "leaving.txt").write_text("# why\n0.3.0 table tick bid Decimal(18, 8)\n")
    assert contract.announced(tmp_path) == {"table tick bid Decimal(18, 8)": (0, 3, 0)}
