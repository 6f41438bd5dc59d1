"""Real money is locked: whether this process may send orders at all."""

from adapters.mt5.execution import Account
from core.settings import Settings


def may_send(settings: Settings, account: Account) -> bool:
    """True for a simulated terminal (not in shadow mode), and for the one allowed real account.

    A real account needs mode `live`, and `terminal.login` and `terminal.server` that are set and
    are those the terminal is logged in to. Anything else is shadow: journalled, not sent.
    """
    if settings.run.mode == "shadow":
        return False
    if settings.terminal.kind == "simulated":
        return True
    allowed = settings.terminal.login, settings.terminal.server
    return (
        settings.run.mode == "live" and all(allowed) and allowed == (account.login, account.server)
    )
