"""What a later statement changes: deals told otherwise, new ones, and those taken back."""

from datetime import date

from reports.statement import StatementDeal
from reports.statement_changes import Content, changed
from tests.support.orders import at

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def deal(number: int, day: date, price: float = 10.0) -> StatementDeal:
    head = (TUESDAY, at("2026-03-04 00:05"), "live", "a")
    return StatementDeal(
        *head, deal=number, position=1, kind="buy", entry="in", symbol="X",
        ts_event_us=at(f"{day} 10:00"), volume=1.0, price=price, commission=0, swap=0, profit=0,
    )  # fmt: skip


def content(one: StatementDeal) -> Content:
    return (
        one.position, one.kind, one.entry, one.symbol, one.ts_event_us, one.volume, one.price,
        one.commission, one.swap, one.profit,
    )  # fmt: skip


def contents(*deals: StatementDeal) -> dict[int, Content]:
    return {one.deal: content(one) for one in deals}


def test_the_same_word_changes_nothing() -> None:
    now = [deal(1, MONDAY), deal(2, TUESDAY)]
    assert changed(TUESDAY, now, contents(deal(1, MONDAY)), {}, {MONDAY}) == []
    assert changed(TUESDAY, now, contents(*now), contents(*now), {MONDAY, TUESDAY}) == []


def test_another_price_is_a_correction_of_the_deals_day() -> None:
    (one,) = changed(TUESDAY, [deal(1, MONDAY, 11.0)], contents(deal(1, MONDAY)), {}, {MONDAY})
    assert (one.deal, one.change, one.day) == (1, "correction", MONDAY)
    assert (one.before or ())[6] == 10.0
    assert one.content["price"] == 11.0


def test_another_time_is_a_correction_of_both_days() -> None:
    """Also where there is no statement of the day to which it moves."""
    now = deal(1, TUESDAY)
    (one,) = changed(TUESDAY, [now], contents(deal(1, MONDAY)), {}, {MONDAY})
    assert (one.change, one.days, one.day) == ("correction", [MONDAY, TUESDAY], TUESDAY)
    (one,) = changed(TUESDAY, [now], contents(deal(1, MONDAY)), {}, set())
    assert one.change == "correction"


def test_a_deal_that_an_earlier_day_lacked_is_an_addition_to_it() -> None:
    now = [deal(1, MONDAY), deal(9, MONDAY)]
    (one,) = changed(TUESDAY, now, contents(deal(1, MONDAY)), {}, {MONDAY})
    assert (one.deal, one.change) == (9, "addition")


def test_what_a_later_day_lacks_is_not_taken_back_but_what_the_same_day_lacks_is() -> None:
    ever = contents(deal(1, MONDAY), deal(2, TUESDAY))
    now = [deal(2, TUESDAY)]
    assert changed(TUESDAY, now, ever, {}, {MONDAY}) == []
    (one,) = changed(TUESDAY, now, ever, ever, {MONDAY, TUESDAY})
    assert (one.deal, one.change, one.day) == (1, "withdrawal", MONDAY)
