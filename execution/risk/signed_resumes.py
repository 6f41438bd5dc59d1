"""What lifts a halt where controls are signed: a resume of the chain, no file of the home.

The command that counted last is kept outside the home: whoever removes `control.json` and waits for
a restart does not start what a person stopped.
"""

import contextlib
import logging
from pathlib import Path

from core import durable
from core.controls.entry import sha256
from core.controls.store import Place, is_begun, place_of
from core.controls.watch import WatchedControls
from core.errors import TickhouseError
from core.sections import ControlSettings
from core.trading_control import ControlCommand, content_of, write

_log = logging.getLogger(__name__)


class SignedResumes:
    """Resumes of a home's chain; see execution.risk.trading_state.SignedResumes."""

    def __init__(self, place: Place, watched: WatchedControls) -> None:
        self._watched, self.kept = watched, kept_in(place)

    def signed(self, order: ControlCommand) -> bool:
        """Whether people signed to resume exactly so."""
        self._watched.poll()
        digest = sha256(content_of(order))
        resumes = self._watched.controls.subjects("resume", self._watched.now_us())
        return order.state == "active" and any(v.entry.content == digest for v in resumes)

    def keep(self, order: ControlCommand) -> None:
        """Remember a command that counts, as well as it goes."""
        try:
            write(self.kept, order)
        except OSError as error:
            _log.error("%s by %s is not kept outside the home: %s", order.state, order.by, error)


def breakers_in(place: Place, account: str, before: Path) -> Path:
    """Where an account's breakers keep what they did; `before`: where they did in the home."""
    path = place.trust / f"breakers.{account}.json"
    if not path.exists() and before.exists():
        durable.write(path, before.read_bytes())
    return path


def kept_in(place: Place) -> Path:
    """Where the last command that counted is kept."""
    return place.trust / "control.json"


def keep_outside(home: Path, settings: ControlSettings, order: ControlCommand) -> None:
    """Where controls are signed, as well as it goes: removing the file then starts nothing."""
    with contextlib.suppress(OSError, TickhouseError):
        place = place_of(home, settings)
        if is_begun(place):
            write(kept_in(place), order)
