"""What the bot does, by the functions that the command line and the live page press, too.

Each returns what to say and blocks on disk, so each runs in a thread. Who may, the caller has
asked. Telegram's word on who somebody is is no password, so no audit line calls it one.
"""

import contextlib
import logging
from pathlib import Path

from bot.people import Person
from core import identity, prepared_resume, trading_control
from core.audit_log import AuditLine, append
from core.clock import Clock
from core.controls import store
from core.errors import TickhouseError
from core.settings import Settings
from core.trading_control import Positions
from execution.risk.signed_resumes import keep_outside
from surveillance import answering

_log = logging.getLogger(__name__)


class Acts:
    """Acts on one home."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    @property
    def _home(self) -> Path:
        return self._settings.home_path

    def needs_signature(self) -> bool:
        """Whether a resume counts only when people sign for it."""
        place = store.place_of(self._home, self._settings.controls)
        return store.is_begun(place) or identity.exists(identity.path_in(self._home))

    def halt(self, person: Person, reason: str, positions: Positions) -> str:
        """Halt now. It needs the disk or a running execution, and nothing else."""
        by = person.name
        try:
            halted = trading_control.halt(self._home, by, reason, self._clock, positions)
        except OSError as error:
            return f"NOT halted: {error}. Run `tickhouse halt`, or stop execution."
        keep_outside(self._home, self._settings.controls, halted.order)
        with contextlib.suppress(OSError, TickhouseError):  # no log keeps a halt from holding
            self._note(person, "halt", f"positions: {positions}", reason)
        what = "are closed" if positions == "flatten" else "keep their stops"
        heard = (
            "Execution obeys." if halted.heard else "No execution runs; it holds from its start."
        )
        lasts = f" Only until execution ends: {halted.unwritten}." if halted.unwritten else ""
        return f"Trading is HALTED by {by}: {reason}\nPositions {what}. {heard}{lasts}"

    def resume(self, person: Person, reason: str) -> str:
        """Resume; where people sign, prepare what they sign.

        Raises:
            TickhouseError, OSError: it was neither done nor prepared.
        """
        by = person.name
        if self.needs_signature():
            prepared_resume.prepare(self._home, by, reason, self._clock)
            self._note(person, "prepare resume", "waits for a signature", reason)
            return (
                f"Prepared, and NOT resumed: it holds when it is signed.\n{reason}\n"
                "Where your key is: tickhouse resume --prepared --by NAME"
            )
        if self._settings.terminal.kind != "simulated":
            return "NOT resumed: real money needs users: tickhouse users add NAME --role admin"
        self._note(person, "resume", reason, reason)
        trading_control.resume(self._home, by, reason, self._clock)
        return f"Trading is ACTIVE again ({by}: {reason})."

    def acknowledge(self, person: Person, alert_id: str) -> str:
        """No reminders of an alert until it is over.

        Raises:
            TickhouseError, OSError: it is not kept.
        """
        by = person.name
        alert = answering.acknowledge(self._home, self._clock, alert_id, by, "by Telegram")
        return f"{alert.definition.title} {alert.subject}: acknowledged by {by}."

    def silence(self, person: Person, rule: str, subject: str, span: str) -> str:
        """Tell nobody of a rule and subject for a time.

        Raises:
            TickhouseError, OSError: it is not kept.
        """
        by = person.name
        answering.silence(
            self._home, self._clock, rule, subject, span, by, "by Telegram", authenticated=False
        )
        return f"{rule} {subject}: silent for {span}, by {by}."

    def refused(self, person: Person, what: str, why: str) -> None:
        """Chain what somebody known here may not do, or could not prove; the refusal stands."""
        try:
            self._note(person, "refused", what, why)
        except (OSError, TickhouseError) as error:
            _log.error("a refusal is not in the audit trail: %s (%s: %s)", error, what, why)

    def _note(self, person: Person, action: str, detail: str, reason: str) -> None:
        """Which account of Telegram's it was, beside what the act itself writes."""
        line = AuditLine(
            self._clock.now_us(), person.name, False, f"bot {action}", detail, reason=reason,
            payload={"telegram": person.telegram},
        )  # fmt: skip
        append(self._home, line)
