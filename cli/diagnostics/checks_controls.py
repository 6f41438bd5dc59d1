"""`tickhouse doctor`: are controls signed here or files, and is what was signed whole?"""

from cli import signing
from cli.diagnostics.check import Check
from core.clock import SystemClock
from core.controls import store
from core.controls.approvals import is_signed
from core.errors import TickhouseError
from core.settings import Settings
from execution.risk.controls import problem_of

FILES = "files, obeyed as they lie, for nobody here can sign; real money stays locked"
_BEGIN = "tickhouse keys new NAME, then tickhouse controls begin --by NAME"


def controls(settings: Settings) -> Check:
    """How limits, overrides and strategies take effect in this home."""
    try:
        return _controls(settings)
    except TickhouseError as error:
        return Check("controls", "failed", str(error), "see docs/how-to/sign-controls.md")


def _controls(settings: Settings) -> Check:
    if not is_signed(settings):
        return Check("controls", "ok", FILES)
    if not store.is_begun(signing.place_of(settings)):
        text = "users, but nobody signs: limits are those of the settings, files are not obeyed"
        return Check("controls", "warning", text, _BEGIN)
    if problem := problem_of(settings, SystemClock()):
        return Check("controls", "failed", problem, "tickhouse controls verify")
    now = signing.current(settings)
    if now.waiting:
        numbers = ", ".join(map(str, now.waiting))
        return Check("controls", "warning", f"entries that wait: {numbers}", "controls pending")
    return Check("controls", "ok", f"signed, {len(now.entries)} entries")
