"""Preflight of a real terminal: may it trade, and what would every order need to know?"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.protocol.terminal import Terminal
from cli.diagnostics.check import Check, result_of

_HEDGING = mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING
_OTHER_FILLINGS = "the broker takes neither FOK nor IOC: ask it which accounts do"


def terminal_checks(terminal: Terminal) -> Iterator[Check]:
    """Terminal and account."""
    info, account = terminal.terminal_info(), terminal.account_info()
    yield result_of(
        "connection", bool(info.connected), f"{info.name}, {info.company}",
        "log in, and wait until the terminal shows a connection to its server", "failed",
    )  # fmt: skip
    yield result_of(
        "autotrading", bool(info.trade_allowed), "on" if info.trade_allowed else "off",
        "press Algo Trading in the terminal's toolbar; until then orders end in 10027", "failed",
    )  # fmt: skip
    yield result_of(
        "Python API", not info.tradeapi_disabled,
        "may trade" if not info.tradeapi_disabled else "is not allowed to trade",
        "Tools > Options > Expert Advisors: allow trading through the external Python API",
        "failed",
    )  # fmt: skip
    permitted = bool(account.trade_allowed and account.trade_expert)
    yield result_of(
        "account", permitted, f"{account.login} on {account.server}, {account.currency}",
        "the password is an investor's (read-only), or the broker forbids automated trading",
        "failed",
    )  # fmt: skip
    hedging = account.margin_mode == _HEDGING
    yield Check("positions", "ok", "hedging" if hedging else "netting")


def symbol_checks(terminal: Terminal, symbols: Mapping[str, str]) -> Iterator[Check]:
    """One per symbol; `symbols` maps our name to the broker's."""
    for ours, theirs in symbols.items():
        info = terminal.symbol_info(theirs)
        name = f"{ours} = {theirs}"
        if info is None:
            yield Check(name, "failed", "no answer", "select it in Market Watch")
            continue
        yield _symbol(name, info)


def _symbol(name: str, info: Any) -> Check:
    fillings = filling_modes(info.filling_mode, info.trade_exemode)
    described = (
        f"{info.digits} digits, lots {info.volume_min:g} to {info.volume_max:g} by "
        f"{info.volume_step:g}, contract {info.trade_contract_size:g}, filling "
        f"{' or '.join(fillings) or 'none'}, stops {info.trade_stops_level} points away"
    )
    if info.trade_mode != mt5.SYMBOL_TRADE_MODE_FULL:
        return Check(
            name, "failed", described, "the broker does not let this account trade it freely"
        )
    return result_of(name, bool(fillings), described, _OTHER_FILLINGS, "failed")


def filling_modes(mask: int, execution: int) -> list[str]:
    """Names of the filling modes of market orders that a symbol takes, from its bit mask.

    MQL5 reference, SYMBOL_FILLING_MODE: RETURN needs no bit, and is not allowed with market
    execution.
    """
    described = [
        name
        for bit, name in ((mt5.SYMBOL_FILLING_FOK, "FOK"), (mt5.SYMBOL_FILLING_IOC, "IOC"))
        if mask & bit
    ]
    return described if execution == _MARKET_EXECUTION else [*described, "RETURN"]


_MARKET_EXECUTION = 2  # SYMBOL_TRADE_EXECUTION_MARKET
