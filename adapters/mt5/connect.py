"""Settings to a connected terminal."""

from adapters.mt5.market import RecordedMarket
from adapters.mt5.remote import RemoteTerminal
from adapters.mt5.terminal import Terminal
from core.errors import SettingsError, UnavailableError
from core.settings import TerminalSettings


def terminal(settings: TerminalSettings) -> Terminal:
    """The terminal that the settings name, connected.

    Raises:
        SettingsError: no address, or a real terminal where the package does not exist.
        UnavailableError: it does not answer.
    """
    if settings.kind == "real":
        from adapters.mt5.real import RealTerminal

        chosen: Terminal = RealTerminal(settings)
    else:
        chosen = _remote(settings)
    if not chosen.initialize():
        code, text = chosen.last_error()
        raise UnavailableError(f"the terminal does not answer: {code} {text}")
    return chosen


def market(settings: TerminalSettings) -> RecordedMarket:
    """The recorded market behind a replaying terminal.

    Raises:
        SettingsError: the terminal is not a simulated one, or has no address.
    """
    if settings.kind != "simulated":
        raise SettingsError("a replay needs the simulated terminal (TICKHOUSE_TERMINAL__KIND)")
    return _remote(settings)


def _remote(settings: TerminalSettings) -> RemoteTerminal:
    if not settings.address:
        raise SettingsError("the simulated terminal needs TICKHOUSE_TERMINAL__ADDRESS (host:port)")
    return RemoteTerminal(settings.address)
