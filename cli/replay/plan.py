"""What a replay will do, decided before anything starts: files, feeds, cut, and the run's id.

The id is a hash of everything that decides the result, so the same inputs, settings and model
give the same id, and its rows replace themselves.
"""

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adapters.files.base import TickFile
from adapters.files.detect import open_file
from adapters.simulator.markets.tickfile import ParquetTicks
from core import feature_set
from core.clock import SystemClock
from core.contracts.tick import QuarantineBatch, QuarantinedTick
from core.desk import Desk, one_alone
from core.errors import InputError
from core.sections import ExitSettings
from core.settings import Settings
from execution.risk import run_rules
from execution.risk.controls import InForce, in_force
from execution.risk.limits import parse
from execution.risk.portfolio_risk import uses_figures
from execution.risk.run_rules import RunRules
from features.catalog import FEATURE_SET_HASH
from risk.stress import available
from strategies import desk


class ReplayFeed(NamedTuple):
    """One feed of the replay as a normalised parquet file."""

    path: Path
    source: str
    symbol: str
    rows: int
    first_msc: int
    last_msc: int


class ReplayPlan(NamedTuple):
    """A replay. `cut_msc`: predictions begin here; `training`: a model is trained before it."""

    run_id: str
    inputs: tuple[str, ...]
    digests: tuple[str, ...]  # SHA-256 of each input
    feeds: tuple[ReplayFeed, ...]
    unparsed: tuple[QuarantineBatch, ...]
    cut_msc: int
    training: bool
    limits: InForce
    rules: RunRules = RunRules()

    @property
    def rows(self) -> int:
        """Rows of the files, parsed or not."""
        return sum(feed.rows for feed in self.feeds) + self.unparsed_rows

    @property
    def first_msc(self) -> int:
        """Market time of the first tick, Unix milliseconds."""
        return min(feed.first_msc for feed in self.feeds)

    @property
    def last_msc(self) -> int:
        """Market time of the last tick, Unix milliseconds."""
        return max(feed.last_msc for feed in self.feeds)

    @property
    def unparsed_rows(self) -> int:
        """Rows no reader could parse; they are quarantined."""
        return sum(len(batch.ticks) for batch in self.unparsed)


class ReplayOptions(NamedTuple):
    """What the command line says."""

    paths: tuple[Path, ...]
    source: str | None
    symbol: str | None
    tz: str | None
    train_first: float
    strategy: str
    model: str  # the champion to predict with, "" for none
    limits: Path | None = None  # a file of limits; None: those in force
    firm: str | None = None  # of those limits; None: that of the settings' account
    desk: Desk | None = None  # what `strategy` stands for; None: it is one alone

    @property
    def strategies(self) -> Desk:
        """Which strategies run."""
        return self.desk or one_alone(self.strategy)


def build(options: ReplayOptions, settings: Settings, scratch: Path) -> ReplayPlan:
    """Open and check every file; nothing is started or stored yet.

    Args:
        options: files and how to read them.
        settings: those that shape the result are part of the run's id.
        scratch: where vendor files are rewritten as normalised parquet.

    Raises:
        InputError: a file cannot be read, or does not say its source, symbol or zone.
        SettingsError: a strategy's symbol is in none of them.
    """
    files = [open_file(p, options.source, options.symbol, options.tz) for p in options.paths]
    by_feed: dict[tuple[str, str], list[TickFile]] = defaultdict(list)
    for file in files:
        by_feed[file.source, file.symbol].append(file)
    digests = tuple(sha256(path) for path in options.paths)
    limits = _limits(options, settings)
    rules = run_rules.chosen(settings, limits.content, options.firm)
    shaped = shaping(options, settings, digests, sorted(by_feed), limits, rules)
    shaped = (*shaped, *_own_features(settings.home_path))
    run_id = f"replay-{hashlib.blake2b(msgspec.json.encode(shaped), digest_size=8).hexdigest()}"
    feeds, unparsed = [], []
    for (source, symbol), parts in sorted(by_feed.items()):
        feed, refused = _feed(run_id, source, symbol, parts, scratch)
        feeds.append(feed)
        unparsed += refused
    with_ticks = [feed for feed in feeds if feed.rows]
    if not with_ticks:
        raise InputError(", ".join(map(str, options.paths)), "no tick in any file")
    options.strategies.refuse_unknown_symbols({feed.symbol for feed in with_ticks})
    cut_msc = _cut(with_ticks, options.train_first)
    inputs = tuple(str(path) for path in options.paths)
    training = options.train_first > 0
    return ReplayPlan(
        run_id=run_id, inputs=inputs, digests=digests, feeds=tuple(with_ticks),
        unparsed=tuple(unparsed), cut_msc=cut_msc, training=training, limits=limits, rules=rules,
    )  # fmt: skip


def _own_features(home: Path) -> tuple[str, ...]:
    """The files of a person's own features; without any, ids of before stay."""
    text = feature_set.packed(feature_set.of_folder(home / feature_set.FOLDER))
    return ("features", hashlib.sha256(text).hexdigest()) if text else ()


def _limits(options: ReplayOptions, settings: Settings) -> InForce:
    """A file that was named outright, whoever signed it; else what live execution would take."""
    path = options.limits
    if path is None:
        return in_force(settings, SystemClock())
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"{error.strerror}; name a limits file") from error
    parse(content, str(path))
    return InForce(content, str(path))


def write(plan: ReplayPlan, directory: Path, max_ticks: int) -> Path:
    """The plan as the replaying terminal reads it."""
    content = {
        "files": [
            {"path": str(feed.path), "source": feed.source, "symbol": feed.symbol}
            for feed in plan.feeds
        ],
        "cut_msc": plan.cut_msc if plan.training else 0,
        "max_ticks": max_ticks,
        "account_log": str(directory / "account.log"),
    }
    path = directory / "plan.json"
    path.write_text(json.dumps(content, indent=2))
    return path


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def needs_figures(content: bytes | None, desk: Desk) -> bool:
    """Whether limits, or a desk's regimes, need the stream's figures of risk."""
    limited = content is not None and uses_figures(parse(content, "limits"))
    return limited or desk.uses_regimes


def shaping(
    options: ReplayOptions,
    settings: Settings,
    digests: tuple[str, ...],
    feeds: list[tuple[str, str]],
    limits: InForce,
    rules: RunRules,
) -> tuple[object, ...]:
    """All that decides a run's result: files by content, settings, strategy, limits, model."""
    shaped: tuple[object, ...] = (
        sorted(digests),
        feeds,
        options.train_first,
        options.strategy,
        options.model,
        options.tz or "",
        FEATURE_SET_HASH,
        settings.features,
        settings.signals,
        settings.execution,
        settings.models.counted(),
        settings.terminal.seed,
        settings.terminal.balance,
        settings.terminal.currency,
    )
    # What is newer than the first runs counts only when it is used: their ids stay.
    newer = (settings.exits, settings.terminal.netting)
    used: tuple[object, ...] = () if newer == (ExitSettings(), False) else (newer,)
    if needs_figures(limits.content, options.strategies):
        used = (*used, settings.risk, [s.version for s in available(settings.home_path)])
    # Without any the limits are those of settings.execution.
    content, _, entry = limits
    written = (hashlib.sha256(content).hexdigest(),) if content is not None else ()
    signed = (entry,) if entry else ()  # its denials name it
    folder = settings.home_path / "strategies"
    own = desk.digest(options.strategies, lambda _use: folder)
    return (*shaped, *used, *written, *signed, *((own,) if own else ()), *rules.shaping)


def _cut(feeds: list[ReplayFeed], share: float) -> int:
    """The market time at which the first `share` of the span of all feeds has passed."""
    first = min(feed.first_msc for feed in feeds)
    last = max(feed.last_msc for feed in feeds)
    return first + int((last - first) * share) if share > 0 else first


def _feed(
    run_id: str, source: str, symbol: str, parts: list[TickFile], scratch: Path
) -> tuple[ReplayFeed, list[QuarantineBatch]]:
    """One parquet file as it is, or everything else rewritten as one."""
    if len(parts) == 1 and Path(parts[0].path).suffix == ".parquet":
        ParquetTicks(parts[0].path, source, symbol)  # the terminal would refuse it, much later
        return _measured(Path(parts[0].path), source, symbol), []
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / f"{symbol}_{source}.parquet"
    refused = _rewrite(run_id, parts, path)
    return _measured(path, source, symbol), refused


def _measured(path: Path, source: str, symbol: str) -> ReplayFeed:
    """Rows and span, read from the file's time column."""
    rows, first, last = 0, None, 0
    for batch in pq.ParquetFile(path).iter_batches(262_144, columns=["time_msc"]):
        times = batch.column(0).to_numpy()
        if len(times):
            rows += len(times)
            low = int(times.min())
            first = low if first is None else min(first, low)
            last = max(last, int(times.max()))
    return ReplayFeed(path, source, symbol, rows, first or 0, last)


_SCHEMA = pa.schema(
    [
        ("symbol", pa.string()),
        ("time_msc", pa.int64()),
        ("bid", pa.float64()),
        ("ask", pa.float64()),
        ("last", pa.float64()),
        ("volume", pa.float64()),
        ("flags", pa.uint32()),
    ]
)


def _rewrite(run_id: str, parts: list[TickFile], path: Path) -> list[QuarantineBatch]:
    """Vendor files of one feed as one normalised parquet, in the order of their first tick."""
    refused = []
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for part in sorted(parts, key=_first_msc):
            unparsed: list[QuarantinedTick] = []
            for chunk in part.chunks():
                writer.write_table(_table(part.symbol, chunk.ticks))
                unparsed += [QuarantinedTick(r.row, 0, r.reason, r.raw) for r in chunk.refused]
            if unparsed:
                origin = Path(part.path).name
                refused.append(
                    QuarantineBatch(run_id, "replay", part.source, part.symbol, origin, unparsed)
                )
    return refused


def _first_msc(part: TickFile) -> int:
    return next((int(c.ticks["time_msc"][0]) for c in part.chunks() if len(c.ticks)), 0)


def _table(symbol: str, ticks: np.ndarray) -> pa.Table:
    columns = {
        "time_msc": ticks["time_msc"],
        "bid": ticks["bid"],
        "ask": ticks["ask"],
        "last": ticks["last"],
        "volume": ticks["volume_real"],
        "flags": ticks["flags"],
    }
    arrays = [pa.array(np.ascontiguousarray(values)) for values in columns.values()]
    return pa.Table.from_arrays([pa.array([symbol] * len(ticks)), *arrays], schema=_SCHEMA)
