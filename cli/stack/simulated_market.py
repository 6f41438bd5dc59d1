"""Which simulated market a home sees: that on which its account began, whatever one begins on now.

The account is a fold over its log and the market's prices, so a market that changed under it
would change what its stops met. Homes of before keep their market's hours.
"""

from msgspec.structs import replace

from adapters.simulator.broker.request_log import beginning
from adapters.simulator.markets.generated_market import LIVELY, NEVER_CLOSES
from core.settings import Settings


def is_embedded(settings: Settings) -> bool:
    """Whether `up` starts the simulated terminal itself."""
    return settings.terminal.kind == "simulated" and not settings.terminal.address


def shown(settings: Settings, *, bare: bool = False) -> Settings:
    """The settings with the traits of the home's market; of a new one those of a plain `up`.

    bare: a new one is not lively.
    """
    if not is_embedded(settings):
        return settings
    begun = beginning(settings.home_path / "account.log")
    new = (NEVER_CLOSES,) if bare else (NEVER_CLOSES, LIVELY)
    traits = begun.get("market", ()) if begun else new
    terminal = replace(
        settings.terminal, never_closes=NEVER_CLOSES in traits, lively=LIVELY in traits
    )
    return replace(settings, terminal=terminal)
