"""The rule's word on the challenger, kept where people look: a proposal of a promotion, never one.

Told once of each pair: a rule that says the same every day is no longer heard. The word is an
event of the challenger in `model_event`, so that a board and `models watch` show it, too.
"""

from datetime import UTC, datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core.clock import Clock
from core.settings import Settings
from models.monitoring.compare import Comparison
from models.monitoring.patrol import compare_rivals, roles
from models.serving.registry import Registry

KIND = "proposed"
_COLUMNS = (
    "run_id", "mode", "account", "strategy", "ts_event", "model", "member", "kind", "detail",
)  # fmt: skip
_STANDING = """
SELECT argMax(detail, ts_event) FROM model_event FINAL
WHERE run_id = {run_id:String} AND model = {model:String} AND kind = {kind:String}
    AND startsWith(detail, {instead:String})
"""


class Proposal(NamedTuple):
    """What the rule said of the challenger; `text`: what people are told, "" when not proposed."""

    challenger: str
    comparison: Comparison
    text: str
    is_new: bool


def propose(client: Client, registry: Registry, settings: Settings, clock: Clock) -> Proposal:
    """Compare champion and challenger; the word is kept when it proposes the challenger.

    Raises:
        ModelError: there is no champion, or no challenger.
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    comparison = compare_rivals(client, registry, settings)
    challenger = roles(registry)["challenger"]
    if not comparison.proposed:
        return Proposal(challenger, comparison, "", False)
    is_new = not standing(client, registry, settings)
    text = f"{_instead(registry)}: {comparison.reason}"
    if is_new:
        _keep(client, settings, challenger, text, clock)
    return Proposal(challenger, comparison, text, is_new)


def standing(client: Client, registry: Registry, settings: Settings) -> str:
    """What was proposed of the champion and the challenger of now; "" when nothing was.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    working = roles(registry)
    if set(working) != {"champion", "challenger"}:
        return ""
    given = {
        "run_id": settings.run.run_id, "model": working["challenger"], "kind": KIND,
        "instead": _instead(registry),
    }  # fmt: skip
    with errors_translated():
        return str(client.query(_STANDING, given).result_rows[0][0])


def next_step(challenger: str) -> str:
    """What a person does who agrees."""
    return f"tickhouse models promote {challenger[:12]} --by YOU"


def _instead(registry: Registry) -> str:
    working = roles(registry)
    return f"{working['challenger'][:12]} instead of {working['champion'][:12]}"


def _keep(client: Client, settings: Settings, model: str, text: str, clock: Clock) -> None:
    run, at = settings.run, datetime.fromtimestamp(clock.now_us() / 1e6, UTC)
    row = [run.run_id, run.mode, run.account, run.strategy, at, model, "", KIND, text]
    with errors_translated():
        client.insert("model_event", [row], column_names=_COLUMNS)
