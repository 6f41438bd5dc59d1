"""Alerts of signed controls: what raises risk or waits to, and files that nobody signed.

A version that waits for its day is no use as a protection if nobody hears of it meanwhile.
"""

from core.clock import Clock
from core.controls import store
from core.controls.approvals import is_signed
from core.controls.entry import Entry
from core.controls.watch import WatchedControls
from core.settings import Settings
from execution.risk.controls import unsigned_files
from execution.risk.direction import raises
from execution.risk.limits import of_settings
from execution.risk.signed_limits import SignedLimits
from surveillance.alert import OLD_US, ControlAlert


class ControlChanges:
    """Looks at a home's chain and files when asked; nothing to say where files are obeyed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._watched: WatchedControls | None = None
        self._limits: SignedLimits | None = None
        self._known, self._problem = 0, ""

    def alerts(self) -> list[ControlAlert]:
        """What is new since the last call.

        Raises:
            InputError: the signed limits cannot be read.
        """
        if not is_signed(self._settings):
            return []
        if self._limits is None or self._watched is None:
            home, fallback = self._settings.home_path, of_settings(self._settings.execution)
            place = store.place_of(home, self._settings.controls)
            self._watched = WatchedControls(place, raises, self._clock)
            account = self._settings.run.account
            self._limits = SignedLimits(account, fallback, home, self._watched)
        self._limits.poll()
        files = unsigned_files(self._settings, self._watched)
        problem = "; ".join(filter(None, (self._limits.problem, files)))
        return [*self._of_entries(self._watched), *self._of_problem(problem)]

    def _of_entries(self, watched: WatchedControls) -> list[ControlAlert]:
        entries, controls = watched.controls.entries, watched.controls
        new, self._known = entries[self._known :], len(entries)
        now = self._clock.now_us()
        return [
            self._alert(f"controls.{entry.number}.{entry.ts_us}", entry, _waits(watched, entry))
            for entry in new
            if entry.raises or entry.number in controls.waiting or entry.kind == "approve"
            if now - entry.ts_us <= OLD_US
        ]

    def _alert(self, name: str, entry: Entry, waits: str) -> ControlAlert:
        detail = "; ".join(
            (f"{entry.kind} by {entry.by}: {entry.reason}", *entry.changes, *filter(None, [waits]))
        )
        return self._control_alert(name, "signed_control", str(entry.number), detail, entry.ts_us)

    def _of_problem(self, problem: str) -> list[ControlAlert]:
        before, self._problem = self._problem, problem
        if not problem or problem == before:
            return []
        now = self._clock.now_us()
        return [self._control_alert(f"controls.problem.{now}", "controls", "home", problem, now)]

    def _control_alert(
        self, name: str, control: str, subject: str, detail: str, ts_us: int
    ) -> ControlAlert:
        run = self._settings.run
        return ControlAlert(
            alert_id=name, mode=run.mode, account=run.account, control=control, subject=subject,
            detail=detail, ts_event_us=ts_us, ts_raised_us=self._clock.now_us(), channel="log",
        )  # fmt: skip


def _waits(watched: WatchedControls, entry: Entry) -> str:
    version = watched.controls.waiting.get(entry.number)
    return version.waits if version else ""
