"""What each flow remembers, from old shards to new ones: by feed, or by account."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core import renamed
from core.errors import SettingsError
from streams import deal, layout
from streams.deal import Begin
from streams.predict import ModelState
from streams.sample import SamplerState
from streams.shards import owner

V = TypeVar("V")

_TICKS = "ticks"
_DECIDE, _EXPOSURE, _RISK = ("decide", "shard-0"), "exposure", ("risk", "risk")


def deal_anew(states: Path, flow: str, count: int) -> int:
    """Deal the state of a flow that does not run; of how many shards it was, 0 without any.

    Raises:
        BusyError: one of its processes runs.
        SettingsError: the state cannot be dealt.
    """
    renamed.install()  # before a recovery store of 0.1 is read
    deal.finish(states, flow)
    known = [*layout.counts(states, flow)]
    if not known:
        return 0
    if len(known) > 1:
        folders = ", ".join(str(layout.folder(states, flow, one)) for one in known)
        raise SettingsError(f"there is state of flow {flow} twice: {folders}; remove the older")
    with deal.all_held(states, flow, known[0]):
        old = deal.read(states, flow, known[0])
        deal.write([_DEALT[flow](old, count, number) for number in range(count)], states, flow)
    return known[0]


def _ticks(old: Sequence[Begin], count: int, number: int) -> Begin:
    """Rows that come again replace themselves, so the earliest place is enough."""
    return Begin(_earliest(old), {}, _pending(old, count, number), {}, {})


def _signals(old: Sequence[Begin], count: int, number: int) -> Begin:
    """Every shard gets the state of every feed, and forgets at its start what it does not use."""
    none = [str(n) for n, one in enumerate(old) if _DECIDE not in one.states]
    if len(none) == len(old):
        return Begin(_earliest(old), {}, _pending(old, count, number), {}, {})
    if none:
        raise SettingsError(
            f"shard {', '.join(none)} of flow signals has committed nothing yet: start all of them,"
            " let them run for half a minute, stop them, then try again"
        )
    if any(not _is_of_now(one.states[_DECIDE]) for one in old):
        raise SettingsError(
            "the state of flow signals is of version 0.1: start it once with this version, stop it"
            " half a minute later, then try again"
        )
    first = min(old, key=_place)
    holders, decided = _holders(old), dict[str, int]()
    for feed in holders:
        before = old[owner(feed, len(old))]
        decided[feed] = max(_place(before), before.decided.get(feed, 0))
    kept = _joined(old, first.states[_DECIDE], holders)
    passed = {feed: _stands(old[n], feed) for feed, n in holders.items()}
    return Begin(
        _earliest(old), {_DECIDE: kept}, _pending(old, count, number),
        _beyond(passed, _place(first)), _beyond(decided, _place(first)),
    )  # fmt: skip


def _is_of_now(state: Any) -> bool:
    """Versions before kept kernels alone, and the model's hash."""
    return isinstance(state[0], SamplerState) and isinstance(state[1], ModelState)


def _holders(old: Sequence[Begin]) -> dict[str, int]:
    """By feed the shard whose kernel of it is the earliest: its owner's, or that of one that
    follows it, because a pair's other leg was not decided any further.
    """
    holders: dict[str, int] = {}
    for n, one in enumerate(old):
        for feed in one.states[_DECIDE][0].kernels:
            if feed not in holders or _stands(one, feed) < _stands(old[holders[feed]], feed):
                holders[feed] = n
    return holders


def _joined(old: Sequence[Begin], first: Any, holders: Mapping[str, int]) -> Any:
    """A shard's state: rows go on from a holder's, decisions from the owner's; `first` stands
    where it begins, and so do its markets.
    """
    states = [one.states[_DECIDE] for one in old]

    def joined(take: Callable[[Any], Mapping[Any, V]], *, rows: bool = False) -> dict[Any, V]:
        mine: dict[Any, V] = {}
        for number, state in enumerate(states):
            for key, value in take(state).items():
                feed = _feed_in(key, holders)
                if feed and number == (holders[feed] if rows else owner(feed, len(old))):
                    mine[key] = value
        return mine

    sampler = first[0]._replace(
        kernels=joined(lambda s: s[0].kernels, rows=True),
        seqs=joined(lambda s: s[0].seqs, rows=True),
        own=joined(lambda s: s[0].own, rows=True),
    )
    events = tuple(dict.fromkeys(event for state in states for event in state[1].events))
    model = first[1]._replace(past=joined(lambda s: s[1].past), events=events)
    decider: tuple[Any, ...] = (
        joined(lambda s: s[2][0]), [],
        joined(lambda s: s[2][2] if len(s[2]) > 2 else {}),
        joined(lambda s: s[2][3] if len(s[2]) > 3 else {}, rows=True),
    )  # fmt: skip
    return sampler, model, decider


def _feed_in(key: Any, feeds: Iterable[str]) -> str:
    """The feed of a key: `feed`, `strategy/feed`, `strategy/feed/version` or (source, symbol)."""
    text = "/" + (".".join(key) if isinstance(key, tuple) else key) + "/"
    return next((feed for feed in feeds if f"/{feed}/" in text), "")


def _executions(old: Sequence[Begin], count: int, number: int) -> Begin:
    """What repeats is known by the journal's numbers; figures of the market follow from ticks."""
    states = {
        (_EXPOSURE, account): state
        for n, one in enumerate(old)
        for (step, account), state in one.states.items()
        if step == _EXPOSURE and owner(account, len(old)) == n and owner(account, count) == number
    }
    fold = old[0].states.get(_RISK)
    if fold is not None:
        books = [one.states[_RISK].accounts if _RISK in one.states else {} for one in old]
        mine = {
            account: book
            for n, of_shard in enumerate(books)
            for account, book in of_shard.items()
            if owner(account, len(old)) == n and owner(account, count) == number
        }
        states[_RISK] = fold.with_accounts(mine)
    sequences = {**_earliest(old), _TICKS: _place(old[0])}
    return Begin(sequences, states, _pending(old, count, number), {}, {})


def _stands(one: Begin, feed: str) -> int:
    """The first message that a feed's kernel has not seen."""
    return max(_place(one), one.passed.get(feed, 0))


def _beyond(places: Mapping[str, int], start: int) -> dict[str, int]:
    return {feed: place for feed, place in places.items() if place > start}


def _place(one: Begin) -> int:
    return one.sequences.get(_TICKS, 1)


def _earliest(old: Sequence[Begin]) -> dict[str, int]:
    topics = {topic for one in old for topic in one.sequences}
    return {topic: min(one.sequences.get(topic, 1) for one in old) for topic in sorted(topics)}


def _pending(old: Sequence[Begin], count: int, number: int) -> dict[str, list[Any]]:
    """Rows that may not be stored: each is stored by one of the new."""
    rows: dict[str, list[Any]] = {}
    for n, one in enumerate(old):
        if n % count == number:
            for table, parts in one.pending.items():
                rows.setdefault(table, []).extend(parts)
    return rows


_DEALT = {"ticks": _ticks, "signals": _signals, "executions": _executions}
