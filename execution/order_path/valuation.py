"""What lots are worth in the account's currency, by the market's own quotes.

Notional is volume times contract size, in the base currency. A rate is the mid of the pair that
holds both currencies, of the same source and no older than an hour; there are no chains of two
pairs, as in the terminal's own conversion. Without a rate there is no value, and a limit in
money then denies.
"""

from execution.order_path.quotes import Quotes

MAX_AGE_US = 3_600_000_000


def rate(quotes: Quotes, source: str, currency: str, account: str, now_us: int) -> float | None:
    """Units of the account's currency for one of `currency`; None when nobody says."""
    if currency == account:
        return 1.0
    for symbol, inverted in ((currency + account, False), (account + currency, True)):
        quote = quotes.at(source, symbol, now_us)
        if quote is not None and quote.mid > 0 and now_us - quote.time_us <= MAX_AGE_US:
            return 1.0 / quote.mid if inverted else quote.mid
    return None


def notional(
    volume: float, contract_size: float, price: float, rate_of_quote: float | None
) -> float | None:
    """Value of lots at a price: lots x units per lot x price x account currency per quote unit.

    None without a rate. The sign of the volume does not matter.
    """
    return None if rate_of_quote is None else abs(volume) * contract_size * price * rate_of_quote
