"""The models of a busy day: their cards, how they did every two hours, and how far they drifted."""

import hashlib
from typing import NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client

from cli.busy.day import MINUTE, SOURCE, SYMBOLS, Day
from cli.busy.decisions import CHALLENGER, CHAMPION, MEMBERS, RETIRED
from core.sections import ModelSettings
from core.settings import Settings
from features.catalog import FEATURE_SET_HASH, NAMES
from models.monitoring import performance, table
from models.monitoring.drift import Drift
from models.monitoring.performance import Quality, Watched
from models.serving.card import DataPart, DataVersion, MemberCard, Metrics, ModelCard

_EVERY = 120 * MINUTE
_COLUMNS = (*NAMES[:8], "p_down", "p_up")
_THRESHOLD = 0.25


class _Role(NamedTuple):
    """A model at work."""

    name: str
    model: str
    skill: float


_ROLES = (_Role("champion", CHAMPION, 0.04), _Role("challenger", CHALLENGER, 0.05))


def store(client: Client, day: Day) -> None:
    """Cards, then a judgement of each at work for every two hours."""
    table.store(client, [_card(day, model) for model in (RETIRED, CHALLENGER, CHAMPION)],
                [RETIRED, CHAMPION])  # fmt: skip
    settings = Settings(run=day.run)
    for role in _ROLES:
        dice = day.dice(f"quality {role.name}")
        for end in range(day.start_us + _EVERY, day.end_us + 1, _EVERY):
            watched = _watched(role, dice, (end - day.start_us) / (day.end_us - day.start_us))
            span = np.linspace(end - _EVERY, end - 1, 1_400, dtype=np.int64)
            performance.store(client, watched, role.name, span, settings)


def _watched(role: _Role, dice: np.random.Generator, share: float) -> Watched:
    quality = []
    for member in ("", *MEMBERS):
        brier = 0.62 * (1 - role.skill + float(dice.normal(0.0, 0.02)))
        error = 0.02 + 0.01 * float(dice.random())
        quality.append(
            Quality(
                member=member,
                predictions=1_400,
                hit_rate=0.44 + float(dice.normal(0.0, 0.01)),
                brier=brier,
                brier_shares=0.62,
                calibration_error=error,
                vetoed=0.01,
                net_bp=0.0 if member else float(dice.normal(4.0, 6.0)),
                decisions=0 if member else 140,
            )
        )
    # The market leaves its training part as the day goes on.
    moved = [
        Drift(name, float(dice.gamma(2.0, 0.03)) + 0.3 * share * (place < 5), 0.1, 0.002, 0.001)
        for place, name in enumerate(_COLUMNS)
    ]
    drifted = sorted((one for one in moved if one.psi > _THRESHOLD), key=lambda one: -one.psi)
    return Watched(role.model, quality, moved, drifted)


def _card(day: Day, model: str) -> ModelCard:
    metrics = Metrics(1.04, 0.60, 0.45, 0.55, 0.56, 0.56)
    shares = Metrics(1.08, 0.62, 0.42, 0.5, 0.5, 0.5)
    trained = DataPart(
        60_000, day.start_us - 20 * _EVERY, day.start_us - 4 * _EVERY, (0.3, 0.4, 0.3)
    )
    held = DataPart(12_000, day.start_us - 4 * _EVERY, day.start_us, (0.3, 0.4, 0.3))
    members = tuple(
        MemberCard(name, hashlib.sha256(f"{model} {name}".encode()).hexdigest(), weight, metrics,
                   0.02, 1e-7)
        for name, weight in zip(MEMBERS, (0.7, 0.3), strict=True)
    )  # fmt: skip
    return ModelCard(
        sha256=model, feature_set_hash=FEATURE_SET_HASH, features=NAMES, simulated=True,
        sample_ms=1_000, settings=ModelSettings(members=MEMBERS), run_id=day.run.run_id,
        data_hash=hashlib.sha256(model.encode()).hexdigest(),
        feeds=tuple(f"{SOURCE}.{symbol}" for symbol in SYMBOLS), train=trained, held_back=held,
        metrics=metrics, baseline=shares, parity=1e-7, versions={}, calibrated_on=held,
        dataset=f"busy-{model[:8]}", members=members,
        data=DataVersion(day.start_us, trained.start_us, held.end_us, (SOURCE,), held.end_us),
    )  # fmt: skip
