"""A decision computed from one state of knowledge after the other, until its bits come out.

Mostly there is one: nothing was corrected, and the first attempt is the only one.
"""

from typing import Any, NamedTuple

from core.errors import InputError
from streams.explain import account, reproduction
from streams.explain.facts import Facts
from streams.explain.history import NOW, STREAMED, History
from streams.explain.recompute import Material, recompute


class Attempt(NamedTuple):
    """What came out, and what it was computed from."""

    account: dict[str, Any]
    material: Material


def best(facts: Facts, history: History, material: Material) -> Attempt:
    """The attempt that gives the decision again; the first one when none does.

    Raises:
        InputError: in no state do the stored ticks lead to the decision's tick.
    """
    first: Attempt | None = None
    problem: InputError | None = None
    for moment in history.moments(live=facts.signal.mode not in ("replay", "backtest")):
        given = material._replace(ticks=history.at(moment))
        try:
            attempt = Attempt(account_of(facts, given, _as_known(moment)), given)
        except InputError as error:
            problem = problem or error
            continue
        if attempt.account["same"]:
            return attempt
        first = first or attempt
    if first is None:
        assert problem is not None
        raise problem
    return first


def account_of(facts: Facts, material: Material, as_known: str) -> dict[str, Any]:
    """The decision computed once from some material, and compared.

    Args:
        as_known: which state of knowledge the ticks are, for people.

    Raises:
        InputError: the ticks do not lead to the decision's tick.
    """
    now = recompute(facts, material)
    explained = account.of(facts, now, reproduction.compare(facts, now))
    explained["tick"]["as_known"] = as_known
    return explained


def _as_known(moment: int) -> str:
    if moment == NOW:
        return "today"
    return "as they came in" if moment == STREAMED else f"at {account.text(moment)} UTC"
