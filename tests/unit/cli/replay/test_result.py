"""What a replay's result says of the terminal's account."""

from adapters.simulator.terminal import SimulatedTerminal
from cli.replay.result import deals_at
from tests.support.markets import TUESDAY, order, terminal

FALLS = [(TUESDAY + 1_000 * n, 1.1 - 0.0001 * n, 1.1001 - 0.0001 * n) for n in range(60)]


def bought(*comments: str) -> SimulatedTerminal:
    """An account with a position of each comment, all stopped at one price."""
    account = terminal({"EURUSD_sim": FALLS})
    account.at(TUESDAY)
    for comment in comments:
        account.order_send(order("EURUSD", "buy", comment=comment, magic=7, sl=1.099))
    account.at(TUESDAY + 59_000)
    return account


def test_two_stops_at_one_price_are_no_request_that_came_twice() -> None:
    account = bought("one", "two")
    deals = deals_at(account, 100_000.0)
    assert (deals.deals, sorted(deals.comments)) == (4, ["one", "two"])
    stops = [o.comment for o in account.history_orders_get(0, 4e9) if o.comment.startswith("[sl")]
    assert len(set(stops)) < len(stops) == 2


def test_a_request_that_came_twice_is() -> None:
    assert deals_at(bought("one", "one"), 100_000.0).comments == ("one", "one")
