"""The models a stream predicts with: a champion, and a challenger in its shadow.

Loading takes milliseconds, so a change is prepared on another thread and taken over between two
batches: no batch is ever predicted by two models.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.errors import ModelError
from models.serving.artifact import load, require_complete
from models.serving.predictor import Predictor
from models.serving.registry import Registry


class Chosen(NamedTuple):
    """Which models hold. Hashes, "" for none.

    `reduced_share` of a full position is the most that is opened before `reduced_until_us`.
    """

    champion: str
    challenger: str = ""
    reduced_share: float = 1.0
    reduced_until_us: int = 0


class Loaded(NamedTuple):
    """The chosen models, ready to predict; None without one. `problems`: member and reason."""

    chosen: Chosen
    champion: Predictor | None
    challenger: Predictor | None
    problems: tuple[tuple[str, str], ...] = ()


NONE = Loaded(Chosen(""), None, None)


def open_models(models: Path, chosen: Chosen) -> Loaded:
    """Load both. A challenger that cannot be loaded is left out and said; it trades nothing.

    Raises:
        ModelError: the champion cannot be loaded.
    """
    problems: list[tuple[str, str]] = []
    champion = Predictor(load(models, chosen.champion)) if chosen.champion else None
    if champion is not None:
        problems += champion.problems.items()
    challenger = None
    if chosen.challenger and chosen.challenger != chosen.champion:
        try:
            challenger = Predictor(load(models, chosen.challenger))
        except ModelError as error:
            problems.append(("challenger", str(error)))
    return Loaded(chosen, champion, challenger, tuple(problems))


def open_named(models: Path, beginnings: Sequence[str]) -> tuple[tuple[str, Predictor], ...]:
    """Models that strategies name by the beginnings of their hashes, with the full ones.

    Raises:
        ModelError: one is unknown, ambiguous, corrupt, incomplete, or made for other features.
    """
    named = [require_complete(Registry(models).load(beginning)) for beginning in beginnings]
    return tuple((one.card.sha256, Predictor(one)) for one in named)
