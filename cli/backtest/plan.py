"""What a backtest will do, from the command line: ticks, span, identity."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from backtest.job import FeedFile
from backtest.plan import MarketSpan, Recording, run_id
from cli.chosen_strategy import chosen_desk
from cli.ingest.checking import expand
from cli.replay import plan as replay_plan
from cli.replay.plan import ReplayOptions
from core.desk import Desk
from core.errors import InputError, SettingsError
from core.feature_set import FOLDER
from core.settings import Settings
from execution.risk.controls import InForce
from execution.risk.run_rules import RunRules
from features import own
from models.serving.registry import Registry


class BacktestRequest(NamedTuple):
    """A backtest that is ready to run; `settings.run` is complete."""

    settings: Settings
    recordings: list[Recording]
    span: MarketSpan
    model: str
    inputs: dict[str, str]  # path to SHA-256
    together: bool
    spans: int
    symbols: tuple[str, ...]
    limits: InForce
    rules: RunRules
    desk: Desk


def build(namespace: argparse.Namespace, settings: Settings, scratch: Path) -> BacktestRequest:
    """Open and check everything; nothing runs yet.

    Raises:
        InputError: a file cannot be used, or no tick lies in the span.
        SettingsError: an option or a strategy is wrong.
        ModelError: the model is unknown, corrupt, or made for another feature set.
    """
    features = own.use(own.of_folder(settings.home_path / FOLDER))
    settings, desk = chosen_desk(namespace.strategy, namespace.desk, settings)
    strategy = settings.run.strategy
    paths = _paths(namespace, settings, scratch)
    model = _model(namespace, settings, desk)
    options = ReplayOptions(
        paths=tuple(paths), source=namespace.source, symbol=namespace.symbol, tz=namespace.tz,
        train_first=0.0, strategy=strategy, model=model, limits=namespace.limits,
        firm=namespace.firm, desk=desk,
    )  # fmt: skip
    plan = replay_plan.build(options, settings, scratch)
    feeds, known_symbols = plan.feeds, {f.symbol for f in plan.feeds}
    if not known_symbols.issuperset(namespace.symbols):
        known = ", ".join(sorted(known_symbols))
        raise SettingsError(f"--symbols {','.join(namespace.symbols)}: there are only {known}")
    recordings = [
        Recording(FeedFile(str(f.path), f.source, f.symbol), f.first_msc, f.last_msc) for f in feeds
    ]
    span = _span(namespace, recordings)
    shaped = replay_plan.shaping(
        options,
        settings,
        plan.digests,
        [(f.source, f.symbol) for f in feeds],
        plan.limits,
        plan.rules,
    )
    chosen_ = (span, namespace.spans, namespace.together, sorted(namespace.symbols))
    counted = (own.set_hash(features),) if features else ()  # without any, ids of before stay
    identity = run_id((shaped, *chosen_, *counted))
    run = msgspec.structs.replace(
        settings.run, run_id=identity, mode="backtest", account=identity, strategy=strategy,
        session_id="",
    )  # fmt: skip
    inputs = dict(zip(plan.inputs, plan.digests, strict=True))
    settings = msgspec.structs.replace(settings, run=run)
    return BacktestRequest(
        settings=settings, recordings=recordings, span=span, model=model, inputs=inputs,
        together=namespace.together, spans=namespace.spans, symbols=tuple(namespace.symbols),
        limits=plan.limits, rules=plan.rules, desk=desk,
    )  # fmt: skip


def warnings(request: BacktestRequest) -> tuple[str, ...]:
    """What a reader must know before the figures."""
    used = (request.model, *request.desk.named_models)
    return tuple(_leak(request, model) for model in used if model and _leak(request, model))


def _leak(request: BacktestRequest, model: str) -> str:
    card = Registry(request.settings.home_path / "models").load(model).card
    trained_on_it = card.train.start_us < request.span.to_msc * 1000
    if trained_on_it and card.train.end_us > request.span.from_msc * 1000:
        until = _text(card.train.end_us // 1000)
        which = "The model" if model == request.model else f"Model {model[:12]}"
        return (
            f"{which} was trained on market time up to {until}, which this span touches: it has"
            " seen answers, and these figures mean nothing. Begin later (--from)."
        )
    return ""


def _paths(namespace: argparse.Namespace, settings: Settings, scratch: Path) -> list[Path]:
    if namespace.paths:
        return expand(namespace.paths)[0]
    from adapters.clickhouse.client import connect
    from cli.backtest.ticks import from_warehouse
    from cli.ingest.warehouse import warehouse

    span = _msc(namespace.start) or 0, _msc(namespace.end)
    with warehouse(settings) as where:
        client = connect(where)
        paths = from_warehouse(client, scratch, namespace.symbols, namespace.source, span)
        client.close()
        return paths


def _model(namespace: argparse.Namespace, settings: Settings, desk: Desk) -> str:
    registry = Registry(settings.home_path / "models")
    if namespace.model:
        return registry.load(namespace.model).card.sha256
    follows = any(one.follows_model for one in desk.strategies)
    champion = registry.champion() if follows else None
    if follows and champion is None:
        raise SettingsError(
            "strategy 'model' needs a model and there is no champion: tickhouse train, then"
            " tickhouse models promote; or --model SHA256, or another --strategy"
        )
    return champion.card.sha256 if champion else ""


def _span(namespace: argparse.Namespace, recordings: Sequence[Recording]) -> MarketSpan:
    first, last = min(r.first_msc for r in recordings), max(r.last_msc for r in recordings)
    start = max(_msc(namespace.start) or first, first)
    end = min(_msc(namespace.end) or last + 1, last + 1)
    if start >= end:
        known = f"{_text(first)} to {_text(last)}"
        raise InputError("--from, --to", f"no tick lies in that span; the ticks are of {known}")
    return MarketSpan(start, end)


def _msc(text: str | None) -> int | None:
    """Milliseconds UTC; a time without a zone is UTC."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no time: write 2014-05-02T12:30:00Z") from error
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _text(msc: int) -> str:
    return datetime.fromtimestamp(msc / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
