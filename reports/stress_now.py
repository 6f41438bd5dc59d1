"""Stress scenarios over what is stored: positions, minutes and accounts as of a moment.

On demand (`tickhouse stress`) and each night; both give rows of table `stress_result`.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from msgspec.structs import asdict

from adapters.clickhouse.client import errors_translated
from core.contracts.risk import StressResult
from core.errors import InputError
from core.sections import RiskSettings
from risk import covariance, stress
from risk.covariance import Covariance
from risk.exposure import ConversionError, Feed, Holding, exposures
from risk.minutes import MINUTE_US, History, Minutes
from risk.portfolio import by_strategy
from risk.stress import Prices, Scenario

_TIMES = ("ts_event_us", "ts_init_us")


class Account(NamedTuple):
    """Whose positions these are."""

    run_id: str
    mode: str
    account: str
    currency: str
    equity: float
    holdings: tuple[Holding, ...]


class Likeliest(NamedTuple):
    """The most likely move that loses the target; see `risk.stress.likeliest`."""

    account: str
    loses: float
    moves: dict[Feed, float]
    days: float  # deviations of a day


class Stressed(NamedTuple):
    """All of one moment."""

    at_us: int
    results: list[StressResult]
    likeliest: list[Likeliest]


def stressed(
    client: Client, run_id: str, at_us: int, scenarios: Sequence[Scenario], settings: RiskSettings,
    target: float, now_us: int,
) -> Stressed:  # fmt: skip
    """What scenarios do to all that a run held at a time.

    Args:
        client: of the warehouse.
        run_id: `live`, or a replay's.
        at_us: market time; prices are of the minutes that ended by then.
        scenarios: see `risk.stress.available`.
        settings: how much history, and how it is weighed.
        target: share of equity that reverse stress loses.
        now_us: when this is computed.

    Raises:
        InputError: a position cannot be valued, or no account is known.
    """
    accounts = _accounts(client, run_id, at_us)
    if not accounts:
        return Stressed(at_us, [], [])
    sources = sorted({h.source for a in accounts for h in a.holdings})
    prices, history = _market(client, sources, at_us, settings.window_minutes)
    known = covariance.estimate(
        history.returns, history.feeds, half_life=settings.half_life_minutes,
        least=settings.least_minutes,
    )  # fmt: skip
    try:
        results = [
            _result(
                account=account,
                strategy=strategy,
                held=held,
                scenario=scenario,
                prices=prices,
                known=known,
                target=target,
                now_us=now_us,
            )
            for account in accounts
            for strategy, held in by_strategy(account.holdings)
            for scenario in scenarios
        ]
        likeliest = [_likeliest(account, prices, known, target) for account in accounts]
    except ConversionError as error:
        raise InputError(f"positions of run {run_id}", str(error)) from error
    except ValueError as error:
        raise InputError(
            f"prices of {', '.join(sources)}", f"{error}: see tickhouse import"
        ) from error
    return Stressed(at_us, results, likeliest)


def store(client: Client, results: Sequence[StressResult]) -> None:
    """Write them; a result of the same moment computed later stands beside."""
    if not results:
        return
    names = list(StressResult.__struct_fields__)
    rows = [[_value(name, value) for name, value in asdict(r).items()] for r in results]
    with errors_translated():
        client.insert(
            "stress_result", rows, column_names=[n.removesuffix("_us") for n in names]
        )  # fmt: skip


def newest_us(client: Client, run_id: str) -> int:
    """Market time until which positions and accounts of a run are stored; 0 without any."""
    with errors_translated():
        rows = client.query(
            "SELECT toUnixTimestamp64Micro(max(ts_event)) FROM account_state"
            " WHERE run_id = {run:String}",
            parameters={"run": run_id},
        ).result_rows
    return int(rows[0][0])


def _value(name: str, value: Any) -> Any:
    return datetime.fromtimestamp(value / 1e6, UTC) if name in _TIMES else value


def _result(
    account: Account, strategy: str, held: list[Holding], scenario: Scenario, prices: Prices,
    known: Covariance, target: float, now_us: int,
) -> StressResult:  # fmt: skip
    loses = target * account.equity if account.equity > 0 else math.inf
    done = stress.outcome(scenario, held, prices, account.currency, known, loses=loses)
    return StressResult(
        run_id=account.run_id, mode=account.mode, account=account.account, strategy=strategy,
        ts_event_us=prices.ts_us, ts_init_us=now_us, scenario=scenario.name,
        version=scenario.version, profit=done.profit,
        share=done.profit / account.equity if account.equity > 0 else 0.0,
        factor=done.factor, target=target, worst_symbol=done.worst[1] if done.worst else "",
        untouched=", ".join(done.untouched),
    )  # fmt: skip


def _likeliest(account: Account, prices: Prices, known: Covariance, target: float) -> Likeliest:
    held = exposures(account.holdings, prices.mids, account.currency, prices.ts_us)
    loses = target * account.equity
    moves, days = stress.likeliest(held.by_feed, known, loses)
    return Likeliest(account.account, loses, moves, days)


def _accounts(client: Client, run_id: str, at_us: int) -> list[Account]:
    rows = _query(client, "stress_holdings", run_id=run_id, at_us=at_us)
    states = {r[0]: r[1:] for r in _query(client, "stress_accounts", run_id=run_id, at_us=at_us)}
    holdings: dict[tuple[str, str, str], list[Holding]] = defaultdict(list)
    for run, mode, account, *held in rows:
        holdings[run, mode, account].append(Holding(*held))
    for _, _, account in holdings:
        if account not in states:
            raise InputError(f"account {account}", "its equity and currency were never reported")
    return [
        Account(run, mode, account, *_known(states[account]), tuple(held))
        for (run, mode, account), held in sorted(holdings.items())
    ]


def _known(state: tuple[Any, ...]) -> tuple[str, float]:
    currency, equity = state
    return currency, equity


def _market(client: Client, sources: list[str], at_us: int, window: int) -> tuple[Prices, History]:
    """Newest prices and the grid of minutes, as the stream keeps it."""
    minutes, spreads = Minutes(window, MINUTE_US), dict[Feed, float]()
    by_minute: dict[int, dict[Feed, float]] = defaultdict(dict)
    for source, symbol, minute_us, mid, spread in _query(
        client, "stress_minutes", sources=sources, at_us=at_us
    ):
        by_minute[minute_us][source, symbol] = mid
        spreads[source, symbol] = spread
    for _, mids in sorted(by_minute.items()):
        minutes.append(mids)
    history = minutes.history
    newest = history.mids[-1].tolist() if len(history.mids) else []
    return Prices(at_us, dict(zip(history.feeds, newest, strict=True)), spreads), history


def _query(client: Client, name: str, **parameters: object) -> list[tuple[Any, ...]]:
    sql = resources.files("reports").joinpath(f"{name}.sql").read_text("utf-8")
    with errors_translated():
        return [tuple(row) for row in client.query(sql, parameters=parameters).result_rows]
