"""Feeds, span and options to jobs: what runs beside what, and the run's identity.

By default every feed is an account of its own, so that jobs are independent. `together` is one
account for all, as a replay has it: then margin and limits are shared, and nothing is parallel.
The other feeds are part of a job's market where they convert its profit into the account's
currency, or where features look across symbols.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from backtest.job import ACROSS_SYMBOLS, FeedFile, Job
from core import instruments
from core.desk import Desk
from core.settings import Settings
from execution.risk.run_rules import RunRules

_BUCKETS = 20_000  # points of all curves together, about


class Recording(NamedTuple):
    """One feed of the backtest and the market time of its ticks, Unix milliseconds."""

    file: FeedFile
    first_msc: int
    last_msc: int


class MarketSpan(NamedTuple):
    """Market time from `from_msc` up to but without `to_msc`."""

    from_msc: int
    to_msc: int


def run_id(shaping: object) -> str:
    """The same inputs, settings, strategy and model give the same id."""
    digest = hashlib.blake2b(msgspec.json.encode(shaping), digest_size=8)
    return f"backtest-{digest.hexdigest()}"


def jobs(
    recordings: Sequence[Recording],
    span: MarketSpan,
    settings: Settings,
    *,
    model: str = "",
    spans: int = 1,
    together: bool = False,
    symbols: Sequence[str] = (),
    limits: bytes | None = None,
    limits_entry: int = 0,
    rules: RunRules | None = None,
    desk: Desk | None = None,
    risk: bool = False,
) -> list[Job]:
    """The jobs of a backtest, in a fixed order.

    Args:
        settings: `run` is complete: run_id, mode, account, strategy.
        spans: equal parts of the span; each begins flat, with the whole deposit.
        symbols: whose trades count; all when empty.
        limits: a limits file's bytes; None: those in force.
        limits_entry: the signed entry that these bytes are; 0 when nobody signed them.
        rules: of a firm, and the calendar; None: as those limits say.
        desk: what `settings.run.strategy` stands for; None: it is one alone.
        risk: whether to say what could be lost.
    """
    wanted = [r for r in recordings if not symbols or r.file.symbol in symbols]
    groups = [wanted] if together else [[r] for r in wanted]
    bucket_us = max(1_000_000, (span.to_msc - span.from_msc) * 1000 // _BUCKETS)
    currency, begins = settings.terminal.currency, min(r.first_msc for r in recordings)
    planned = []
    for traded in groups:
        for number in range(spans):
            part = _part(span, number, spans)
            feeds = tuple(r.file for r in _market_of(traded, recordings, currency))
            names = tuple((r.file.source, r.file.symbol) for r in traded)
            planned.append(
                Job(
                    name=_name(traded, number, spans), settings=settings, feeds=feeds,
                    traded=names, from_msc=part.from_msc if part.from_msc > begins else 0,
                    to_msc=part.to_msc, model=model, bucket_us=bucket_us,
                    limits=limits, limits_entry=limits_entry, rules=rules,
                    desk=desk.content if desk else b"", risk=risk,
                )
            )  # fmt: skip
    return planned


def _part(span: MarketSpan, number: int, parts: int) -> MarketSpan:
    length = span.to_msc - span.from_msc
    begin, end = (span.from_msc + length * n // parts for n in (number, number + 1))
    return MarketSpan(begin, end)


def _name(traded: Sequence[Recording], number: int, parts: int) -> str:
    feeds = " + ".join(f"{r.file.symbol} {r.file.source}" for r in traded)
    return f"{feeds} {number + 1}/{parts}" if parts > 1 else feeds


def _market_of(
    traded: Sequence[Recording], known: Sequence[Recording], currency: str
) -> list[Recording]:
    """The traded feeds, those that convert their quote currencies, those that features look at."""
    sources = {r.file.source for r in traded if ACROSS_SYMBOLS}
    quotes = {entry.quote for r in traded for entry in instruments.known().get(r.file.symbol, ())}
    pairs = {pair for q in quotes - {currency} for pair in (q + currency, currency + q)}
    return [
        r for r in known if r in traded or r.file.symbol in pairs or r.file.source in sources
    ]  # fmt: skip
