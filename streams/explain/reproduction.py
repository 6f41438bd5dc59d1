"""Stored beside recomputed: every part of a decision, equal to the last bit or not."""

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.fingerprint import fingerprint
from core.fingerprint import versions as fingerprint_versions
from streams.explain.facts import Facts, vector
from streams.explain.recompute import Recomputed, shape
from streams.explain.sessions import versions


class ComparedPart(NamedTuple):
    """One thing compared: its name, whether it is the same, and what differs."""

    name: str
    same: bool
    differs: tuple[str, ...] = ()


class Reproduction(NamedTuple):
    """All parts, and whether this is the machine and environment that decided.

    `elsewhere`: what differs between there and here; None when the run did not record it.
    """

    parts: tuple[ComparedPart, ...]
    elsewhere: dict[str, tuple[str, str]] | None

    @property
    def same(self) -> bool:
        """Whether all of it came out again bit for bit."""
        return all(part.same for part in self.parts)

    @property
    def text(self) -> str:
        """What follows from it, in a sentence."""
        if self.same:
            return "Recomputed from the stored ticks: the same to the last bit."
        names = ", ".join(part.name for part in self.parts if not part.same)
        if self.elsewhere is None:
            return f"DIFFERS in {names}; the run did not record where it ran: nothing is claimed."
        if self.elsewhere:
            others = ", ".join(self.elsewhere)
            return (
                f"Differs in {names}, on another machine or version ({others}): nothing is claimed."
                " Explain it there, or with those versions installed."
            )
        return f"DIFFERS in {names}, on the same machine and versions: this must not happen."


def compare(facts: Facts, now: Recomputed) -> Reproduction:
    """Compare every part bit by bit; NaN equals NaN."""
    parts = [_floats("features", vector(facts.features), now.features, now.names)]
    if facts.probabilities or now.probabilities is not None:
        probabilities = np.zeros(0, np.float32) if now.probabilities is None else now.probabilities
        classes = ("down", "flat", "up")
        parts.append(_floats("probabilities", vector(facts.probabilities), probabilities, classes))
    parts += [_strategy(facts, now), _signal(facts, now)]
    return Reproduction(tuple(parts), _elsewhere(facts))


def _floats(
    name: str,
    stored: npt.NDArray[np.float32],
    recomputed: npt.NDArray[np.float32],
    names: tuple[str, ...],
) -> ComparedPart:
    if len(stored) != len(recomputed):
        return ComparedPart(name, False, (f"{len(stored)} stored, {len(recomputed)} recomputed",))
    same = (stored.view(np.int32) == recomputed.view(np.int32)) | (
        np.isnan(stored) & np.isnan(recomputed)
    )
    differs = [
        f"{names[n]}: {stored[n]!r} stored, {recomputed[n]!r}" for n in np.flatnonzero(~same)
    ]
    return ComparedPart(name, not differs, tuple(differs))


def _strategy(facts: Facts, now: Recomputed) -> ComparedPart:
    """A person's own strategy must be the file that decided."""
    there = shape(facts).strategy
    same = there == now.strategy or not there
    return ComparedPart(
        "strategy", same, () if same else (f"{there} decided, {now.strategy} is here",)
    )


def _signal(facts: Facts, now: Recomputed) -> ComparedPart:
    if now.signal is None:
        return ComparedPart("signal", False, ("no signal comes out of this row now",))
    stored, recomputed = (msgspec.structs.asdict(s) for s in (facts.signal, now.signal))
    differs = [
        f"{k}: {v!r} stored, {recomputed[k]!r}" for k, v in stored.items() if recomputed[k] != v
    ]
    return ComparedPart("signal", not differs, tuple(differs))


def _elsewhere(facts: Facts) -> dict[str, tuple[str, str]] | None:
    there, here = shape(facts).fingerprint, fingerprint()
    if facts.session:
        there, here = versions(facts.session), {**fingerprint_versions(), **here}
    if not there:
        return None
    names = sorted({*there, *here})
    return {n: (there.get(n, ""), here.get(n, "")) for n in names if there.get(n) != here.get(n)}
