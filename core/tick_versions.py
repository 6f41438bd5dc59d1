"""What ticks that arrive mean to those that are stored: new, said before, or a correction.

Pure: arrays in, arrays out, so that import, collector and replay decide alike. A tick's identity is
(time_msc, seq) within its feed; its content are bid, ask, last and volume, not what we noted beside
them. Files count the ticks of a millisecond as they have them, so within one ticks are told by
content first: a file that lacks the second of three says nothing about the third. A late tick's
count depends on where its file begins, so one that says what another file or feed has said of its
millisecond is that tick; within one pass two that are alike are two.
"""

from collections import defaultdict
from collections.abc import Set
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.contracts.tick import PRICE_SCALE, TickArray, to_price_units
from core.quality import LATE_SEQ

#: A tick as it is known, prices as whole units of the grid. Packed: as the warehouse answers.
KNOWN = np.dtype(
    [
        ("time_msc", "<i8"),
        ("seq", "<u4"),
        ("flags", "<u2"),
        ("quality", "<u2"),
        ("bid", "<i8"),
        ("ask", "<i8"),
        ("last", "<i8"),
        ("volume", "<f8"),
        ("ts_recv_us", "<i8"),
        ("ts_known_us", "<i8"),  # when this version became known
        ("version", "<i4"),  # -1: never changed, and so not kept as a version
        ("withdrawn", "u1"),
    ]
)
KnownArray = npt.NDArray[Any]  # of dtype KNOWN, shape (n,)

#: What becomes of a tick that arrived.
NEW, SAME, REPEATED, CORRECTED = range(4)

_CONTENT = ("bid", "ask", "last", "volume")
_AS_IS = ("time_msc", "seq", "flags", "quality", "volume", "ts_recv_us")
Content = tuple[int, int, int, float]


class Stored(NamedTuple):
    """What is stored of a span of one feed."""

    ticks: KnownArray  # the newest version of each tick, withdrawn ones too, by identity
    superseded: KnownArray  # versions before the newest
    until_us: npt.NDArray[np.int64]  # when each of `superseded` was followed by the next


class Decision(NamedTuple):
    """Per tick that arrived: what becomes of it, the seq it is stored under, and whose it is.

    `of` is the index into `Stored.ticks`, or -1. REPEATED: it was said before and corrected since.
    """

    verdict: npt.NDArray[np.int8]
    seq: npt.NDArray[np.uint32]
    of: npt.NDArray[np.int64]


def as_known(ticks: TickArray) -> KnownArray:
    """Ticks, dtype TICK, as dtype KNOWN: not known yet, never changed."""
    known = np.zeros(len(ticks), KNOWN)
    for name in _AS_IS:
        known[name] = ticks[name]
    for name in ("bid", "ask", "last"):
        known[name] = to_price_units(ticks[name])
    known["ts_known_us"], known["version"] = ticks["ts_recv_us"], -1
    return known


def price(units: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Units of the grid as prices."""
    prices: npt.NDArray[np.float64] = units / PRICE_SCALE
    return prices


def same_content(one: KnownArray, other: KnownArray) -> npt.NDArray[np.bool_]:
    """Which pairs say the same."""
    same = np.ones(len(one), np.bool_)
    for name in _CONTENT:
        same &= one[name] == other[name]
    return same


def resolve(current: KnownArray, versions: KnownArray) -> Stored:
    """What table `tick` shows, and the versions kept of it, as what is known.

    Args:
        current: rows of `tick`, by identity.
        versions: rows of `tick_version`, by identity and version. The newest one counts, whether
            `tick` shows it already or not.
    """
    if not len(versions):
        return Stored(current, versions, np.zeros(0, np.int64))
    same_tick = (versions["time_msc"][1:] == versions["time_msc"][:-1]) & (
        versions["seq"][1:] == versions["seq"][:-1]
    )
    followed = np.append(same_tick, False)
    newest = versions[~followed]
    unchanged = current[positions(newest, current) < 0]
    ticks = np.concatenate([unchanged, newest])
    ticks = ticks[np.lexsort((ticks["seq"], ticks["time_msc"]))]
    until_us = versions["ts_known_us"][1:][same_tick]
    return Stored(ticks, versions[followed], until_us)


def decide(
    arrived: KnownArray, stored: Stored, said_us: int, own: npt.NDArray[np.bool_] | None = None
) -> Decision:
    """Compare ticks of one feed, whole milliseconds where that is known, with what is stored.

    Args:
        arrived: in any order.
        stored: of a span that holds all their milliseconds.
        said_us: when who says this first began to say it. A content that was superseded later
            does not come back by being repeated.
        own: which of `stored.ticks` came in the same pass; without it none did.
    """
    count = len(arrived)
    verdict, seq = np.full(count, NEW, np.int8), arrived["seq"].copy()
    of = np.full(count, -1, np.int64)
    decision = Decision(verdict, seq, of)
    if not len(stored.ticks) or not count:
        return decision
    at = positions(stored.ticks, arrived)
    there = stored.ticks[at]
    live = (at >= 0) & (there["withdrawn"] == 0)
    same = live & same_content(there, arrived)
    verdict[same], of[same] = SAME, at[same]
    odd = ~same & np.isin(arrived["time_msc"], stored.ticks["time_msc"])
    if odd.any():
        plain = _alone(arrived, stored, odd & live)
        verdict[plain], of[plain] = CORRECTED, at[plain]
        for group in _groups(arrived, odd & ~plain):
            _Millisecond(arrived, stored, decision, group, said_us, own).settle()
    return decision


def changed(arrived: KnownArray, stored: Stored, decision: Decision, known_us: int) -> KnownArray:
    """The next versions of the ticks that are corrected. When one was received stays."""
    which = decision.verdict == CORRECTED
    before, after = stored.ticks[decision.of[which]], arrived[which].copy()
    after["seq"], after["ts_recv_us"] = before["seq"], before["ts_recv_us"]
    return _following(before, after, known_us)


def withdrawn(before: KnownArray, known_us: int) -> KnownArray:
    """The next versions of ticks that are taken back."""
    after = before.copy()
    after["withdrawn"] = 1
    return _following(before, after, known_us)


def firsts(before: KnownArray) -> KnownArray:
    """Of ticks about to change those that were never kept as a version, as version 0."""
    first = before[before["version"] < 0].copy()
    first["version"] = 0
    return first


def _following(before: KnownArray, after: KnownArray, known_us: int) -> KnownArray:
    after["version"] = np.maximum(before["version"], 0) + 1
    # A clock that was set back does not put a version before the one it follows.
    after["ts_known_us"] = np.maximum(before["ts_known_us"] + 1, known_us)
    return after


def positions(ticks: KnownArray, wanted: KnownArray) -> npt.NDArray[np.int64]:
    """Where each identity of `wanted` stands in `ticks`, which are in order; -1: nowhere."""
    if not len(ticks):
        return np.full(len(wanted), -1, np.int64)
    times = np.unique(ticks["time_msc"])
    keys = _keys(times, ticks)
    rank = np.minimum(np.searchsorted(times, wanted["time_msc"]), len(times) - 1)
    known = times[rank] == wanted["time_msc"]
    sought = (rank << 32) | wanted["seq"]
    at = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    positions: npt.NDArray[np.int64] = np.where(known & (keys[at] == sought), at, -1)
    return positions


def _keys(times: npt.NDArray[np.int64], ticks: KnownArray) -> npt.NDArray[np.int64]:
    keys: npt.NDArray[np.int64] = (np.searchsorted(times, ticks["time_msc"]) << 32) | ticks["seq"]
    return keys


def _alone(
    arrived: KnownArray, stored: Stored, odd: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Those that are all that differs in their millisecond: the rule without a choice."""
    times = arrived["time_msc"][odd]
    here = np.sort(arrived["time_msc"])
    alone = _count(np.sort(times), times) == 1
    alone &= _count(here, times) == _count(stored.ticks["time_msc"], times)
    gone = np.concatenate(
        [stored.superseded["time_msc"], stored.ticks["time_msc"][stored.ticks["withdrawn"] == 1]]
    )
    alone &= ~np.isin(times, gone)
    plain = odd.copy()
    plain[odd] = alone
    # All others of the millisecond are as stored, each under its own seq.
    others = ~odd & np.isin(arrived["time_msc"], times[alone])
    at = positions(stored.ticks, arrived[others])
    known = (at >= 0) & same_content(stored.ticks[at], arrived[others])
    plain[np.isin(arrived["time_msc"], arrived["time_msc"][others][~known])] = False
    return plain


def _count(ordered: npt.NDArray[np.int64], of: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    count: npt.NDArray[np.int64] = np.searchsorted(ordered, of, "right") - np.searchsorted(
        ordered, of, "left"
    )
    return count


def _groups(arrived: KnownArray, odd: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int64]]:
    """Indices of all that arrived in each millisecond with an odd one, in order of seq."""
    members = np.flatnonzero(np.isin(arrived["time_msc"], arrived["time_msc"][odd]))
    ordered = members[np.lexsort((arrived["seq"][members], arrived["time_msc"][members]))]
    times = arrived["time_msc"][ordered]
    return np.split(ordered, np.flatnonzero(times[1:] != times[:-1]) + 1) if len(times) else []


def _content(tick: Any) -> Content:
    return int(tick["bid"]), int(tick["ask"]), int(tick["last"]), float(tick["volume"])


class _Millisecond:
    """The ticks of one millisecond, when they are not simply those that are stored."""

    def __init__(
        self, arrived: KnownArray, stored: Stored, decision: Decision, group: Any, said_us: int,
        own: npt.NDArray[np.bool_] | None,
    ) -> None:  # fmt: skip
        msc = arrived["time_msc"][group[0]]
        self.verdict, self.seq, self.of = decision
        self.arrived = {int(i): _content(arrived[i]) for i in group}
        self.own = {int(i): int(arrived["seq"][i]) for i in group}
        times = stored.ticks["time_msc"]
        span = range(np.searchsorted(times, msc, "left"), np.searchsorted(times, msc, "right"))
        self.stored = {int(j): _content(stored.ticks[j]) for j in span}
        self.by_seq = {int(stored.ticks["seq"][j]): int(j) for j in span}
        self.gone = {j for j in self.stored if stored.ticks["withdrawn"][j]}
        self.mine = set() if own is None else {j for j in self.stored if own[j]}
        self.said = _said(stored, msc, said_us)
        self.claimed = {int(self.of[i]) for i in group if self.verdict[i] == SAME}
        self.left = [i for i in self.arrived if self.verdict[i] != SAME]
        # Ticks of this millisecond came before: what is stored of them was perhaps said by those.
        begun = min(self.own.values()) > 0
        self.continued = {i for i, seq in self.own.items() if begun or seq >= LATE_SEQ}
        self.added: dict[tuple[int, Content], int] = {}

    def settle(self) -> None:
        """Decide, in the order of how sure one can be."""
        self.left = [i for i in self.left if not (self._is_late(i) and self._told_before(i))]
        self.left = [i for i in self.left if not (self._is_next(i) and self._add(i))]
        self.left = [i for i in self.left if not self._known_elsewhere(i)]
        self.left = [i for i in self.left if not self._said_before(i)]
        self.left = [i for i in self.left if not self._brought_back(i)]
        self._pair()
        for i in self.left:
            if not self._take(i, self.by_seq.get(self.own[i], -1), CORRECTED):
                self._add(i)

    def _is_late(self, i: int) -> bool:
        """Late, and under a count that says nothing to those who are stored."""
        return self.own[i] >= LATE_SEQ and self.own[i] not in self.by_seq

    def _told_before(self, i: int) -> bool:
        return self._known_elsewhere(i, self.mine) or self._said_before(i)

    def _is_next(self, i: int) -> bool:
        return i in self.continued and self.own[i] not in self.by_seq

    def _known_elsewhere(self, i: int, but: Set[int] = frozenset()) -> bool:
        return any(
            self._take(i, j, SAME)
            for j, content in self.stored.items()
            if content == self.arrived[i] and j not in self.gone and j not in but
        )

    def _said_before(self, i: int) -> bool:
        seqs = self.said.get(self.arrived[i], [])
        first = sorted(seqs, key=lambda seq: seq != self.own[i])
        return any(self._take(i, self.by_seq[seq], REPEATED) for seq in first)

    def _brought_back(self, i: int) -> bool:
        return any(
            self._take(i, j, CORRECTED)
            for j in sorted(self.gone)
            if self.stored[j] == self.arrived[i]
        )

    def _pair(self) -> None:
        """What stands between the same two neighbours, here and there, is the same tick."""
        ends = sorted(self.claimed)
        partner = {i: int(self.of[i]) for i in self.arrived if self.of[i] >= 0}
        free = [j for j in self.stored if j not in self.claimed | self.gone]
        gaps: dict[int, list[int]] = defaultdict(list)
        for j in free:
            gaps[max((end for end in ends if end < j), default=-1)].append(j)
        before, unpaired = -1, []
        for i in self.arrived:
            before = partner.get(i, before)
            if i not in self.left:
                continue
            own = self.by_seq.get(self.own[i], -1)
            gap = [own] if i in self.continued else gaps[before]
            paired = any(self._take(i, j, CORRECTED) for j in gap if j in free)
            if not paired:
                unpaired.append(i)
        self.left = unpaired

    def _take(self, i: int, j: int, verdict: int) -> bool:
        if j < 0 or j in self.claimed:
            return False
        self.claimed.add(j)
        self.verdict[i], self.of[i] = verdict, j
        self.seq[i] = next(seq for seq, at in self.by_seq.items() if at == j)
        return True

    def _add(self, i: int) -> bool:
        """A tick of its own; seqs in use stay whose they are."""
        own = self.own[i]
        if (own, self.arrived[i]) in self.added:  # the same tick twice
            self.seq[i], self.verdict[i] = self.added[own, self.arrived[i]], SAME
            return True
        if own in self.by_seq:
            used = {*self.by_seq, *self.own.values()}
            self.seq[i] = max(seq for seq in used if (seq >= LATE_SEQ) == (own >= LATE_SEQ)) + 1
        self.by_seq[int(self.seq[i])] = -1
        self.added[own, self.arrived[i]] = int(self.seq[i])
        return True


def _said(stored: Stored, msc: Any, said_us: int) -> dict[Content, list[int]]:
    """Contents that were superseded after they may have been said, and the seqs they had."""
    times = stored.superseded["time_msc"]
    seqs: dict[Content, list[int]] = defaultdict(list)
    for k in range(np.searchsorted(times, msc, "left"), np.searchsorted(times, msc, "right")):
        if stored.until_us[k] > said_us:
            seqs[_content(stored.superseded[k])].append(int(stored.superseded["seq"][k]))
    return seqs
