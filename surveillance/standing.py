"""`<home>/run/alerts.json` and `<home>/silences.json`: what fires, and what people said to it.

`watch` alone writes the first, after each round, so that `tickhouse alerts` works with the
warehouse down and a restarted watch tells nothing twice. Commands write the second; an
acknowledgement names one alert and ends with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from core import checked_json, durable
from core.errors import InputError
from core.file_lock import locked
from surveillance.firing import Silence, Standing, StandingAlert

T = TypeVar("T")


class Answers(msgspec.Struct, forbid_unknown_fields=False):
    """What people said: silences, and acknowledgements by alert id (who, note)."""

    silences: list[Silence] = []
    acknowledged: dict[str, tuple[str, str]] = {}


class Watched(msgspec.Struct, forbid_unknown_fields=False):
    """What `watch` knew after its last round."""

    evaluated_us: int = 0
    alerts: list[StandingAlert] = []


def watched_path(home: Path) -> Path:
    """Where `watch` writes."""
    return home / "run" / "alerts.json"


def answers_path(home: Path) -> Path:
    """Where people's words are."""
    return home / "silences.json"


def read_watched(home: Path) -> Watched:
    """What fires; nothing before the first round.

    Raises:
        InputError: the file is damaged.
    """
    return _read(watched_path(home), Watched) or Watched()


def write_watched(home: Path, standing: Standing, now_us: int) -> None:
    """Whole or not at all."""
    content = Watched(now_us, list(standing.values()))
    durable.write(watched_path(home), checked_json.encode(content))


def read_answers(home: Path) -> Answers:
    """What people said.

    Raises:
        InputError: the file is damaged.
    """
    return _read(answers_path(home), Answers) or Answers()


def acknowledge(home: Path, alert_id: str, by: str, note: str) -> None:
    """From now on this alert is not told again, until it resolves."""
    with _changed(home) as answers:
        answers.acknowledged[alert_id] = (by, note)


def silence(home: Path, new: Silence, now_us: int) -> None:
    """Add a silence; those that are over go."""
    with _changed(home) as answers:
        answers.silences = [s for s in answers.silences if s.until_us > now_us] + [new]


def take_answers(standing: Standing, answers: Answers) -> None:
    """Note on the alerts who acknowledged them."""
    for alert in standing.values():
        if alert.alert_id in answers.acknowledged:
            alert.acknowledged_by, alert.note = answers.acknowledged[alert.alert_id]


@contextmanager
def _changed(home: Path) -> Iterator[Answers]:
    """People's words under their lock; what was changed in the block is on disk at its end."""
    path = answers_path(home)
    with locked(path.with_suffix(".lock")):
        answers = read_answers(home)
        yield answers
        durable.write(path, checked_json.encode(answers))


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return checked_json.read(path, kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path), f"cannot be read ({error}); remove it to begin anew") from error
