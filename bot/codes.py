"""One-time codes of people who enrolled: an authenticator app's, for what closes positions.

Codes of an app and not one that the live page shows: who uses the bot is not at that page. Each
counts once, here or where somebody signs in, and lives for a minute at most; after three wrong
ones there is a pause.
"""

import logging
from pathlib import Path

from core import totp
from core.clock import Clock
from core.sign_ins import SignIns

_log = logging.getLogger(__name__)
_TRIES, _PAUSE_US = 3, 600_000_000


class Codes:
    """Checks the codes of a home's people. Blocks on disk."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._home, self._used, self._clock = home, SignIns(home, clock), clock
        self._wrong: dict[str, tuple[int, int]] = {}  # name: how many in a row, the last when

    def problem(self, name: str, given: str) -> str:
        """Why a code does not count; "" when it does, and then never again.

        Raises:
            SettingsError: the secret's file cannot be trusted.
            BusyError, OSError: that it was used cannot be kept, so it does not count.
        """
        if not totp.path_in(self._home, name).exists():
            return f"No code of {name}'s is known: `tickhouse bot enrol --by {name}` first."
        now_us = self._clock.now_us()
        count, last_us = self._wrong.get(name, (0, 0))
        if count >= _TRIES and now_us - last_us < _PAUSE_US:
            return "Too many wrong codes: wait ten minutes. /halt needs none."
        if not given:
            return "Give the code of your authenticator app: /flatten CODE REASON"
        step = totp.step_matched(totp.secret_of(self._home, name), given, now_us)
        if step is None or not self._used.use_code(name, step):
            self._wrong[name] = (count % _TRIES + 1, now_us)
            _log.warning("a wrong or used code for %s", name)
            return "That code is wrong, or was used."
        self._wrong.pop(name, None)
        return ""
