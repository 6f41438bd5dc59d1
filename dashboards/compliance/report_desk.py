"""Maker and checker by click, filing, and work on breaks: the functions that the commands call.

Each names the manifest that its sender had before their eyes: where another version stands by now,
or it is another home's, nothing is done. Where controls are signed by people's keys the server
holds none, so maker and checker type the command where their key is.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from core import identity
from core.clock import Clock
from core.errors import SettingsError
from core.settings import Settings
from dashboards.compliance.report_shelf import ReportShelf, wanted
from reports import breaks, build, catalog
from reports.package import Version


class ReportStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sign-off, or that a version went out."""

    name: str
    day: str
    sha256: str  # of the manifest that was shown
    step: Literal["sign", "release", "filed"]
    mode: str = "live"
    reason: str = ""
    reference: str = ""


class BreakStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Work on a break."""

    name: str
    day: str
    sha256: str
    break_id: str
    step: breaks.Step
    mode: str = "live"
    reason: str = ""
    owner: str = ""


class ReportDesk:
    """Takes steps with reports. Blocking: disk.

    Args:
        are_signed: whether people sign controls with keys of their own here.
    """

    def __init__(
        self, settings: Settings, shelf: ReportShelf, clock: Clock, are_signed: Callable[[], bool]
    ) -> None:
        self._settings, self._shelf, self._clock = settings, shelf, clock
        self._are_signed = are_signed

    def people(self) -> dict[str, object]:
        """Who may own a break, and whether sign-offs are typed elsewhere."""
        path = identity.path_in(self._settings.home_path)
        users = identity.load(path).values()
        owners = sorted(user.name for user in users if user.role in identity.MAY_COMPLY)
        return {"owners": owners, "typed": self._are_signed()}

    def step(self, by: str, body: ReportStep) -> dict[str, str]:
        """Sign, release or file the newest version.

        Raises:
            SettingsError: not now, not by them, or it is typed where the key is.
        """
        version = self._shown(body)
        if body.step == "filed":
            report, said = catalog.named(body.name), body.reference
            build.file(self._settings, report, version, by, True, said, self._clock)
            return {"by": by}
        catalog.named(body.name)
        if self._are_signed():
            raise SettingsError(
                "controls are signed here, and no person's key is on this server; where yours is:"
                f" tickhouse report {body.step} {body.name} --date {body.day} --by {by}"
            )
        if body.step == "sign":
            build.sign(self._settings, version, by, True, self._clock)
        else:
            build.release(self._settings, version, by, True, body.reason.strip(), self._clock)
        return {"by": by}

    def break_step(self, by: str, body: BreakStep) -> dict[str, str]:
        """Assign, resolve or reopen a break of the newest version.

        Raises:
            SettingsError: not now, not by them, or without what it needs.
        """
        version = self._shown(body)
        one = breaks.named(self._settings.home_path, version, body.break_id)
        breaks.step(
            self._settings, version, one, body.step, by, True, self._clock, owner=body.owner,
            reason=body.reason.strip(),
        )  # fmt: skip
        return {"by": by}

    def _shown(self, body: ReportStep | BreakStep) -> Version:
        which = wanted({"name": body.name, "day": body.day, "mode": body.mode})
        version = self._shelf.newest(which)
        if version.sha256 != body.sha256:
            raise SettingsError("another version stands by now: load the page again, and read it")
        return version
