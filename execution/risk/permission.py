"""Real money is locked: whether this process may send orders at all, and what is missing."""

import hashlib
import logging
from collections.abc import Callable

import msgspec

from adapters.mt5.venue.venue import Account
from core.clock import Timer
from core.controls.approvals import holds, settings_content, strategy_holds
from core.controls.watch import WatchedControls
from core.desk import DESK, Desk, one_alone
from core.settings import Settings
from core.trading_control import ControlCommand, State
from execution.broker.every import Every
from execution.risk.trading_state import TradingState

_log = logging.getLogger(__name__)


def may_send(
    settings: Settings,
    account: Account,
    watched: WatchedControls | None = None,
    desk: Desk | None = None,
) -> bool:  # fmt: skip
    """True for a simulated terminal (not in shadow mode), and where nothing is missing.

    Anything else is shadow: journalled, not sent. The log says what is missing.
    """
    if settings.run.mode == "shadow":
        return False
    if settings.terminal.kind == "simulated":
        return True
    lacking = missing(settings, account, watched, desk)
    for thing in lacking:
        _log.warning("real money is locked; missing: %s", thing)
    return not lacking


def missing(
    settings: Settings,
    account: Account,
    watched: WatchedControls | None,
    desk: Desk | None = None,
) -> list[str]:  # fmt: skip
    """What real money still asks for, in words; nothing: it is unlocked.

    Mode `live`; `terminal.login` and `terminal.server` that are set and are those the terminal is
    logged in to; a champion that a person promoted and that was not trained on a simulated market;
    and, signed and not ended: this model, every strategy that would send, every model that one of
    them names, the desk and the settings as they are, limits, and a passed terminal check of that
    server.
    """
    lacking = []
    if settings.run.mode != "live":
        lacking.append(f"mode live (it is {settings.run.mode})")
    allowed = settings.terminal.login, settings.terminal.server
    if not all(allowed) or allowed != (account.login, account.server):
        lacking.append(
            f"terminal.login and terminal.server as the terminal has them ({account.login} at"
            f" {account.server})"
        )
    champion = _real_champion(settings)
    if not champion:
        lacking.append("a champion that a person promoted, trained on a real market")
    if watched is None:
        return [*lacking, "users, and controls that they sign (tickhouse controls begin)"]
    desk = desk or one_alone(settings.run.strategy)
    return lacking + _unsigned(settings, champion, account.server, watched, desk)


class Permission:
    """Asks again while trading: an approval that ended, or a file that was changed, ends entries.

    Exits go on: they only reduce.
    """

    def __init__(
        self, lacking: Callable[[], list[str]], trading: TradingState, watched: WatchedControls,
        timer: Timer,
    ) -> None:  # fmt: skip
        self._lacking, self._trading, self._watched = lacking, trading, watched
        self._due = Every(_AGAIN_S, timer)

    def poll(self) -> None:
        """Once a second: `reducing` while anything is missing, and not a moment longer."""
        if not self._due.is_due():
            return
        lacking, now = self._lacking(), self._watched.now_us()
        reason = "missing for real money: " + "; ".join(lacking)
        state: State = "reducing" if lacking else "active"
        self._trading.trip(ControlCommand(state, _BY, reason if lacking else "complete", now))


def _unsigned(
    settings: Settings, model: str, server: str, watched: WatchedControls, desk: Desk
) -> list[str]:  # fmt: skip
    controls, now = watched.controls, watched.now_us()
    lacking = []
    if controls.version("limits", "", now) is None:
        lacking.append("signed limits")
    if not model or controls.version("model", model, now) is None:
        lacking.append(f"a signed approval of model {model[:12]}".rstrip())
    for one in desk.strategies:
        if not one.sends(simulated=False):
            continue
        if not strategy_holds(controls, settings.home_path, one.use, now):
            lacking.append(f"a signed approval of strategy {one.use} as it is")
    lacking += _named_models(settings, watched, desk)
    if settings.run.strategy == DESK and not holds(controls, "desk", "", desk.content, now):
        lacking.append("a signed approval of the desk as it is")
    if not holds(controls, "settings", "", settings_content(settings), now):
        lacking.append("a signed approval of the settings as they are")
    check = controls.version("terminal_check", server, now)
    if check is None or not _passed(controls.content(check)):
        lacking.append(f"a passed terminal check of {server}")
    return lacking


def _named_models(settings: Settings, watched: WatchedControls, desk: Desk) -> list[str]:
    """What is missing of the models that strategies name which would send."""
    named = {one.named_model for one in desk.strategies if one.sends(simulated=False)} - {""}
    lacking, now = [], watched.now_us()
    for model in sorted(named):
        if len(model) != _HASH_DIGITS:
            lacking.append(f"all {_HASH_DIGITS} digits of model {model} in the desk")
        elif watched.controls.version("model", model, now) is None:
            lacking.append(f"a signed approval of model {model[:12]}")
        elif not _of_a_real_market(settings, model):
            lacking.append(f"model {model[:12]} as it was trained, on a real market")
    return lacking


class _Manifest(msgspec.Struct):
    """What matters here of models.serving.manifest.ModelManifest."""

    simulated: bool


def _of_a_real_market(settings: Settings, model: str) -> bool:
    """By its own manifest, whose SHA-256 is its name."""
    try:
        manifest = (settings.home_path / "models" / f"{model}.model").read_bytes()
        simulated = msgspec.json.decode(manifest, type=_Manifest).simulated
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return hashlib.sha256(manifest).hexdigest() == model and not simulated


class _Verdict(msgspec.Struct):
    passed: bool


def _passed(content: bytes | None) -> bool:
    try:
        return msgspec.json.decode(content or b"", type=_Verdict).passed
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


_BY, _AGAIN_S = "permission", 1.0
_HASH_DIGITS = 64


class _Promotion(msgspec.Struct):
    """What matters here of models.serving.registry.Promotion, which this process cannot import."""

    by: str
    simulated: bool
    sha256: str = ""


def _real_champion(settings: Settings) -> str:
    """The model that trades, when a person promoted it on real data; else ""."""
    path = settings.home_path / "models" / "champion.json"
    try:
        promotions = msgspec.json.decode(path.read_bytes(), type=list[_Promotion])
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return ""
    if promotions and promotions[-1].by and not promotions[-1].simulated:
        return promotions[-1].sha256
    return ""
