"""The strategy a command line names: checked, and where every process finds it."""

from core.settings import Settings
from strategies import plugins, protocol


def chosen(given: str, settings: Settings) -> str:
    """The name of a shipped strategy, of one in HOME/strategies, or of a file put there now.

    Raises:
        SettingsError: there is none of that name, or it is broken.
    """
    folder = settings.home_path / "strategies"
    if given.endswith(".py"):
        plugins.refuse_taken(given, protocol.shipped())
    name = plugins.install(given, folder)
    protocol.select(name, settings.signals, folder)
    return name
