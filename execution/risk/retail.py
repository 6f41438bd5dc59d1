"""Initial margin of a retail client's CFDs, by class of what they are on.

Shares of notional: article 2 (a) and annex I of ESMA's Decision (EU) 2018/796, which lapsed in July
2019 and which national law has kept since on the same terms (in the United Kingdom COBS 22.5). What
the reference data do not place in a class takes the largest share, unless the rules say otherwise.
"""

from collections.abc import Mapping

from core.instruments import Instrument

CLOSE_OUT = 0.5  # of the initial margin: at or below it the broker closes (article 2 (b))
_MAJOR, _MINOR, _COMMODITY, _STRICTEST = 0.0333, 0.05, 0.10, 0.50
_MAJORS = frozenset({"USD", "EUR", "JPY", "GBP", "CAD", "CHF"})
_CURRENCIES = _MAJORS | {
    "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "ISK", "TRY", "ZAR",
    "MXN", "CLP", "COP", "SGD", "HKD", "CNH", "CNY", "TWD", "KRW", "INR", "IDR", "MYR", "THB",
    "BRL", "PHP", "ILS", "SAR", "AED", "QAR", "KWD", "BHD", "RUB",
}  # fmt: skip
_METALS = frozenset({"XAG", "XPT", "XPD", "XCU"})


def initial_margin_share(traded: Instrument, own: Mapping[str, float]) -> float:
    """Share of the notional that an entry takes; `own`: shares by symbol, which win."""
    if traded.symbol in own:
        return own[traded.symbol]
    pair = {traded.base, traded.quote}
    if pair <= _MAJORS:
        return _MAJOR
    if pair <= _CURRENCIES or traded.base == "XAU":
        return _MINOR
    return _COMMODITY if traded.base in _METALS else _STRICTEST
