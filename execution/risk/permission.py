"""Real money is locked: whether this process may send orders at all."""

import msgspec

from adapters.mt5.venue.venue import Account
from core.settings import Settings


def may_send(settings: Settings, account: Account) -> bool:
    """True for a simulated terminal (not in shadow mode), and for the one allowed real account.

    A real account needs mode `live`, `terminal.login` and `terminal.server` that are set and are
    those the terminal is logged in to, and a champion that a person promoted and that was not
    trained on a simulated market. Anything else is shadow: journalled, not sent.
    """
    if settings.run.mode == "shadow":
        return False
    if settings.terminal.kind == "simulated":
        return True
    allowed = settings.terminal.login, settings.terminal.server
    logged_in = all(allowed) and allowed == (account.login, account.server)
    return settings.run.mode == "live" and logged_in and _real_champion(settings)


class _Promotion(msgspec.Struct):
    """What matters here of models.serving.registry.Promotion, which this process cannot import."""

    by: str
    simulated: bool


def _real_champion(settings: Settings) -> bool:
    path = settings.home_path / "models" / "champion.json"
    try:
        promotions = msgspec.json.decode(path.read_bytes(), type=list[_Promotion])
    except (FileNotFoundError, msgspec.DecodeError):
        return False
    return bool(promotions) and bool(promotions[-1].by) and not promotions[-1].simulated
