"""The strategy a command line names: checked, and where every process finds it."""

from msgspec.structs import replace

from core.clock import SystemClock
from core.controls.approvals import strategies_folder
from core.settings import Settings
from strategies import plugins, protocol


def chosen(given: str, settings: Settings, *, trades: bool = False) -> str:
    """The name of a shipped strategy, of one in HOME/strategies, or of a file put there now.

    `trades`: not in a replay or backtest; then a person's own is loaded as it was signed, where
    controls are.

    Raises:
        SettingsError: there is none of that name, it is broken, or no signed version of it holds.
    """
    folder = settings.home_path / "strategies"
    if given.endswith(".py"):
        plugins.refuse_taken(given, protocol.shipped())
    name = plugins.install(given, folder)
    if trades:
        run = replace(settings.run, strategy=name)
        folder = strategies_folder(replace(settings, run=run), SystemClock())
    protocol.select(name, settings.signals, folder)
    return name
