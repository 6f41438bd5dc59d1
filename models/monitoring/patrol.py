"""Models at work watched, champion and challenger compared, and what follows when one drifted.

The command `models watch` and the hourly job do the same: what they print or tell is theirs.
"""

from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
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
_NAMED = (
    "SELECT DISTINCT model FROM named_prediction WHERE run_id = {run_id:String}"
    " AND toUnixTimestamp64Micro(ts_event) >= {start_us:Int64}"
    " AND toUnixTimestamp64Micro(ts_event) < {end_us:Int64}"
)
_ALL_OF_IT = Span(0, 1 << 62)  # microseconds UTC


class Patrol(NamedTuple):
    """What came out: champion, challenger, and "named" with the hash for each that a desk names.

    Attributes:
        alerts: by model, what people must know of one that trades.
    """

    watched: dict[str, Watched]
    alerts: dict[str, str]

    @property
    def alert(self) -> str:
        """All of it as one text; "" for nothing."""
        return "; ".join(f"{model[:12]}: {text}" for model, text in self.alerts.items())


def patrol(client: Client, registry: Registry, span: Span, settings: Settings) -> Patrol:
    """Judge every role's model, and those that strategies name, on a span of the settings' run.

    The table `model` follows the files first, so that a mart judges each by its own rule.

    Raises:
        ModelError: a model is missing, or corrupt.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    write_models(client, registry)
    working = roles(registry)
    others = sorted(_named(client, settings.run.run_id, span) - set(working.values()))
    working |= {f"named {model[:12]}": model for model in others}
    watched = {
        role: watch(client, registry.directory, model, role.split()[0], span, settings)
        for role, model in working.items()
    }
    alerts = {
        one.model: drift_text(one, settings.registry.drift_psi)
        for role, one in watched.items()
        if role != "challenger" and drifted(one, settings)
    }
    return Patrol(watched, alerts)


def _named(client: Client, run_id: str, span: Span) -> set[str]:
    """Models that predicted in the span because a strategy of the desk names them."""
    given = {"run_id": run_id, "start_us": span.start_us, "end_us": span.end_us}
    with errors_translated():
        return {str(row[0]) for row in client.query(_NAMED, given).result_rows}


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
