"""What a shard of the signals flow uses of the state that it was dealt, or kept until now."""

from core.errors import SettingsError
from features.peers import Market
from streams.sample import SamplerState
from streams.shards import Part, Shards


def fitted(state: SamplerState | None, shards: Shards, number: int) -> SamplerState | None:
    """The state without kernels of feeds that only pass: they would stand still.

    Raises:
        SettingsError: a strategy now looks at a symbol whose ticks only passed here until now.
    """
    if state is None or shards.total == 1 or not isinstance(state, SamplerState):
        return state
    for source, market in state.markets.items():
        for symbol in Market.symbols_in(market):
            followed = shards.part(number, source, symbol) is Part.FOLLOWED
            if followed and f"{source}.{symbol}" not in state.kernels:
                raise SettingsError(
                    f"a strategy looks at {symbol} together with a symbol of shard {number}, which"
                    " knows no past of it: stop the flow and deal its state anew, with the same"
                    f" number (tickhouse shards {shards.total})"
                )

    def used(feed: str) -> bool:
        return shards.part(number, *feed.split(".", 1)) is not Part.PASSING

    return state._replace(
        kernels={feed: kernel for feed, kernel in state.kernels.items() if used(feed)},
        seqs={feed: seq for feed, seq in state.seqs.items() if used(feed)},
        own={feed: memory for feed, memory in state.own.items() if used(feed)},
    )
