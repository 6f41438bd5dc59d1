"""Champion and challenger watched and compared, and what follows when the champion drifted.

The command `models watch` and the hourly job do the same: what they print or tell is theirs.
"""

from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from core import trading_control
from core.clock import Clock
from core.errors import ModelError
from core.settings import Settings
from models.monitoring.compare import Comparison, compare
from models.monitoring.outcomes import read_outcomes
from models.monitoring.performance import Watched, drift_text, watch
from models.monitoring.table import write_models
from models.serving.card import Span
from models.serving.registry import Registry

BY = "models watch"
_APART = "they learnt different horizons or labels: their Brier scores answer two questions"
_ALL_OF_IT = Span(0, 1 << 62)  # microseconds UTC


class Patrol(NamedTuple):
    """What was found, by role; `alert`: what to tell people of the champion, "" for nothing."""

    watched: dict[str, Watched]
    alert: str


def patrol(client: Client, registry: Registry, span: Span, settings: Settings) -> Patrol:
    """Judge every role's model on a span of the settings' run.

    The table `model` follows the files first, so that a mart judges each by its own rule.

    Raises:
        ModelError: a model is missing, or corrupt.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    write_models(client, registry)
    watched = {
        role: watch(client, registry.directory, model, role, span, settings)
        for role, model in roles(registry).items()
    }
    champion, alert = watched.get("champion"), ""
    if champion is not None and drifted(champion, settings):
        alert = drift_text(champion, settings.registry.drift_psi)
    return Patrol(watched, alert)


def drifted(watched: Watched, settings: Settings) -> bool:
    """Whether so many columns are beyond the threshold that people must know."""
    return len(watched.drifted) >= settings.registry.drift_columns


def roles(registry: Registry) -> dict[str, str]:
    """The models at work: champion and challenger, as far as there are any."""
    history, challenger = registry.history(), registry.challenger()
    by_role = {"champion": history[-1].sha256} if history else {}
    return by_role | ({"challenger": challenger} if challenger else {})


def compare_rivals(client: Client, registry: Registry, settings: Settings) -> Comparison:
    """Champion and challenger on all rows of the settings' run that both predicted.

    Raises:
        ModelError: there is no champion, or no challenger.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    working = roles(registry)
    missing = {"champion", "challenger"} - set(working)
    if missing:
        raise ModelError(f"no {' and no '.join(sorted(missing))}; see: tickhouse models list")
    outcomes, rules = [], set()
    for role, model in working.items():
        artifact = registry.load(model)
        manifest, learnt = artifact.graphs.manifest, artifact.card.settings
        rules.add((manifest.horizon_s, learnt.labels, learnt.label_spreads))
        given = (settings.run.run_id, model, role, _ALL_OF_IT, manifest)
        outcomes.append(read_outcomes(client, *given, settings.signals, learnt))
        horizon_us = round(manifest.horizon_s * 1e6)
    compared = compare(outcomes[0], outcomes[1], horizon_us, settings.registry.min_decisions)
    return compared if len(rules) == 1 else compared._replace(proposed=False, reason=_APART)


def react(home: Path, alert: str, settings: Settings, clock: Clock) -> str:
    """Reduce trading if settings say so, and what was done, for people.

    Raises:
        InputError: the control file is damaged, which halts anyway.
    """
    if not alert or not settings.registry.drift_reduces:
        return ""
    if trading_control.reduce(home, BY, f"the market drifted: {alert}", clock) is None:
        now = trading_control.current(home)
        return f"Trading is {now.state if now else 'active'} already."
    return "Trading is reducing: no position is opened until `tickhouse resume`."
