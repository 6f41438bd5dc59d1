"""Settings to a connected terminal."""

from pathlib import Path

from adapters.mt5 import broker
from adapters.mt5.market import RecordedMarket
from adapters.mt5.remote import RemoteTerminal
from adapters.mt5.terminal import Terminal
from core.errors import SettingsError, UnavailableError
from core.settings import TerminalSettings


def terminal(settings: TerminalSettings, home: Path) -> Terminal:
    """The terminal that the settings name, connected, speaking our names and UTC.

    Raises:
        SettingsError: no address; a real terminal where the package does not exist, that was
            never surveyed (`tickhouse connect`), or that is another broker's than the surveyed.
        UnavailableError: it does not answer.
    """
    chosen: Terminal = _real(settings, home) if settings.kind == "real" else _remote(settings)
    if not chosen.initialize():
        code, text = chosen.last_error()
        raise UnavailableError(f"the terminal does not answer: {code} {text}")
    if settings.kind == "real":
        _same_server(chosen, home)
    return chosen


def market(settings: TerminalSettings) -> RecordedMarket:
    """The recorded market behind a replaying terminal.

    Raises:
        SettingsError: the terminal is not a simulated one, or has no address.
    """
    if settings.kind != "simulated":
        raise SettingsError("a replay needs the simulated terminal (TICKHOUSE_TERMINAL__KIND)")
    return _remote(settings)


def _real(settings: TerminalSettings, home: Path) -> Terminal:
    from adapters.mt5.real import RealTerminal
    from adapters.mt5.translated import TranslatedTerminal

    described = broker.load(broker.path_in(home))
    return TranslatedTerminal(RealTerminal(settings), described)


def _same_server(connected: Terminal, home: Path) -> None:
    # Names and clock are one broker's: with another's, orders would carry wrong times and symbols.
    path = broker.path_in(home)
    info = connected.account_info()
    if info is None:
        raise UnavailableError(f"the terminal has no account: {connected.last_error()[1]}")
    if info.server != (surveyed := broker.load(path).server):
        connected.shutdown()
        raise SettingsError(
            f"{path} describes the server {surveyed}, but the terminal is logged in to "
            f"{info.server}: log in there, or survey this one with tickhouse connect in a home "
            "of its own (TICKHOUSE_HOME)"
        )


def _remote(settings: TerminalSettings) -> RemoteTerminal:
    if not settings.address:
        raise SettingsError("the simulated terminal needs TICKHOUSE_TERMINAL__ADDRESS (host:port)")
    return RemoteTerminal(settings.address)
