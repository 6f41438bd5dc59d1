"""Settings to a connected terminal."""

from collections.abc import Callable
from pathlib import Path

from adapters.mt5.protocol.recorded_market import RecordedMarket
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real import broker_file
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.real.translated import TranslatedTerminal
from adapters.mt5.remote.links import Exchange, ExchangeLink, TcpLink
from adapters.mt5.remote.terminal import RemoteTerminal
from core.credentials import directory_of
from core.errors import SettingsError, UnavailableError
from core.process import Stopping
from core.sections import TerminalSettings

ToAgent = Callable[[str], Exchange]


def terminal(
    settings: TerminalSettings,
    home: Path,
    exchange: ToAgent | None = None,
    *,
    role: str,
    stopping: Stopping | None = None,
) -> Terminal:
    """The terminal that the settings name, connected, speaking our names and UTC.

    `role` is who asks (adapters.mt5.remote.hello). `exchange` makes the way to an agent by its
    name; only a terminal of kind `agent` needs it. Once `stopping` is set, a terminal that does not
    answer is no longer waited for (adapters.mt5.remote.links.TcpLink).

    Raises:
        SettingsError: no address; a real terminal where the package does not exist, that was
            never surveyed (`tickhouse connect`), or that is another broker's than the surveyed.
        UnavailableError: it does not answer.
    """
    chosen: Terminal
    if settings.kind == "simulated":
        chosen = _remote(settings, home, role, stopping)
    else:
        described = broker_file.load(broker_file.path_in(home))
        chosen = TranslatedTerminal(untranslated(settings, exchange), described)
    if not chosen.initialize():
        code, text = chosen.last_error()
        chosen.shutdown()
        raise UnavailableError(f"the terminal does not answer: {code} {text}")
    if settings.kind != "simulated":
        _same_server(chosen, home)
    return chosen


def untranslated(
    settings: TerminalSettings, exchange: ToAgent | None = None
) -> RealTerminal | RemoteTerminal:
    """A real terminal, here or through its agent, in its broker's own words; not connected.

    Raises:
        SettingsError: the package does not exist here, or there is no way to an agent.
    """
    if settings.kind != "agent":
        return RealTerminal(settings)
    if exchange is None:
        raise SettingsError("this process reaches no agent (TICKHOUSE_TERMINAL__KIND)")
    return RemoteTerminal(ExchangeLink(exchange(settings.agent)))


def market(settings: TerminalSettings, home: Path, *, role: str) -> RecordedMarket:
    """The recorded market behind a replaying terminal; see `terminal`.

    Raises:
        SettingsError: the terminal is not a simulated one, or has no address.
    """
    if settings.kind != "simulated":
        raise SettingsError("a replay needs the simulated terminal (TICKHOUSE_TERMINAL__KIND)")
    return _remote(settings, home, role)


def _same_server(connected: Terminal, home: Path) -> None:
    # Names and clock are one broker's: with another's, orders would carry wrong times and symbols.
    path = broker_file.path_in(home)
    info = connected.account_info()
    if info is None:
        raise UnavailableError(f"the terminal has no account: {connected.last_error()[1]}")
    if info.server != (surveyed := broker_file.load(path).server):
        connected.shutdown()
        raise SettingsError(
            f"{path} describes the server {surveyed}, but the terminal is logged in to "
            f"{info.server}: log in there, or survey this one with tickhouse connect in a home "
            "of its own (TICKHOUSE_HOME)"
        )


def _remote(
    settings: TerminalSettings, home: Path, role: str, stopping: Stopping | None = None
) -> RemoteTerminal:
    if not settings.address:
        raise SettingsError("the simulated terminal needs TICKHOUSE_TERMINAL__ADDRESS (host:port)")
    credentials = Path(settings.credentials) if settings.credentials else directory_of(home)
    return RemoteTerminal(TcpLink(settings.address, credentials, role, stopping))
