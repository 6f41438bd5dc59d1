"""What an account's money is by our books and by its broker: alike, apart, or not comparable."""

import pytest

from reports.client_money import Books, Funds, Held, compare

AT = 1_704_800_000_000_000
FUNDS = Funds(AT, "USD", 1000.0, 1090.0, 36.67)
EURUSD = Held("b", "EURUSD", 0.1, 1.1)
QUOTES = {("b", "EURUSD"): (1.109, 1.1091), ("b", "USDJPY"): (150.0, 150.02)}
BOOKS = Books(1000.0, (EURUSD,), QUOTES)


def statuses(books: Books, funds: Funds = FUNDS) -> dict[str, tuple[str, str, str]]:
    return {a.item: (a.status, a.severity, a.owner) for a in compare(books, funds)}


GOOD = ("matched", "", "")


def test_a_row_of_each_amount_when_all_agree() -> None:
    assert list(statuses(BOOKS)) == ["balance", "open profit", "equity", "margin"]
    amounts = {a.item: a for a in compare(BOOKS, FUNDS)}
    # 10,000 EUR from 1.1 to the bid of 1.109; the notional's basis point is what prices may differ.
    assert amounts["open profit"].ours == pytest.approx(90.0)
    assert amounts["open profit"].tolerance == pytest.approx(1.109)
    assert amounts["equity"].difference == pytest.approx(0.0)
    assert {name: s for name, s in statuses(BOOKS).items() if name != "margin"} == dict.fromkeys(
        ("balance", "open profit", "equity"), GOOD
    )


def test_each_amount_that_differs_says_so_with_its_owner() -> None:
    differs = ("differs", "error", "operations")
    assert statuses(BOOKS._replace(balance=1000.01))["balance"] == differs
    assert statuses(BOOKS._replace(balance=1000.004))["balance"] == GOOD
    later = statuses(BOOKS, FUNDS._replace(equity=1092.0))
    assert (later["open profit"], later["equity"], later["balance"]) == (differs, differs, GOOD)
    most = statuses(BOOKS, FUNDS._replace(margin=500.0))["margin"]
    assert most == ("differs", "warning", "operations")
    assert "margin" not in statuses(BOOKS, FUNDS._replace(margin=-1.0))


def test_a_short_position_closes_at_the_ask_and_converts_by_our_own_rate() -> None:
    short = Held("b", "USDJPY", -0.1, 151.0)
    [profit] = [a for a in compare(Books(0.0, (short,), QUOTES), FUNDS) if a.item == "open profit"]
    assert profit.ours == pytest.approx(-10_000 * (150.02 - 151.0) / 150.01)


def test_what_cannot_be_valued_or_never_began_is_a_break_and_no_zero() -> None:
    lost = statuses(BOOKS._replace(quotes={}))
    assert lost["open profit"] == (
        "no price of b EURUSD", "error", "reference data",
    )  # fmt: skip
    assert lost["balance"] == GOOD
    assert statuses(BOOKS._replace(balance=None)) == {
        "balance": ("not in our books", "error", "operations")
    }
