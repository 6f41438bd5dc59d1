"""What is looked at all the time: silent streams, silent members of models, features that drift.

A sensor that cannot reach the warehouse says so where Dagster shows it, and tells people once per
outage; its cursor remembers what was told.
"""

import json
from collections.abc import Sequence
from typing import Any

import dagster as dg

from core import settings as product
from core.clock import SystemClock
from core.errors import TickhouseError
from orchestration.alerts import box, notify_late, notify_members
from orchestration.defs.streams import TableState, key_of, metadata_of, silent_feeds, table_states
from orchestration.defs.training import run_of
from orchestration.resources import Tickhouse
from orchestration.schedules import still_going

_TRAINING = "training_job"
_DRIFT = """
SELECT toUnixTimestamp64Micro(ts_init) AS us, check_id, toDate(ts_event, 'America/New_York'), detail
FROM check_result FINAL
WHERE suite = 'feature' AND check_id LIKE '%.drift' AND status = 'failed'
    AND toUnixTimestamp64Micro(ts_init) > {after:Int64}
ORDER BY us
"""


_MEMBERS = """
SELECT toUnixTimestamp64Micro(ts_event) AS us, model, member, kind, detail
FROM model_event FINAL
WHERE run_id = {run_id:String} AND kind IN ('missing', 'silent')
    AND toUnixTimestamp64Micro(ts_event) > {after:Int64}
ORDER BY us, member
"""
_HOUR_US = 3_600_000_000


@dg.sensor(
    name="members_sensor",
    description="Tells people of members that have no part in the predictions at work.",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def members_sensor(context: dg.SensorEvaluationContext, tickhouse: Tickhouse) -> dg.SkipReason:
    """One message for all that happened since it last looked; the others make up for a member."""
    after = int(context.cursor or SystemClock().now_us() - _HOUR_US)
    try:
        settings, client = tickhouse.settings(), tickhouse.client()
        try:
            given = {"run_id": run_of(settings, ""), "after": after}
            rows = client.query(_MEMBERS, parameters=given).result_rows
        finally:
            client.close()
    except TickhouseError as error:
        return dg.SkipReason(str(error))
    if not rows:
        return dg.SkipReason("every member of the models at work speaks")
    context.update_cursor(str(rows[-1][0]))
    silent = "; ".join(f"{member} {kind}: {detail}" for _, _, member, kind, detail in rows)
    notify_members(settings, rows[-1][1], silent[:1000])
    return dg.SkipReason(f"told: {silent[:500]}")


@dg.sensor(
    name="streams_sensor",
    description="Observes what the streams write, and tells when they are late.",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def streams_sensor(
    context: dg.SensorEvaluationContext, tickhouse: Tickhouse
) -> dg.SensorResult | dg.SkipReason:
    """Fresh tables count as made now; a silent feed is told once until it changes."""
    before = json.loads(context.cursor or "{}")
    box(product.load()).send_due()  # what was gathered, or was not taken, or outlived its process
    try:
        client = tickhouse.client()
        try:
            tables, late = table_states(client), silent_feeds(client, SystemClock().now_us())
        finally:
            client.close()
    except TickhouseError as error:
        return _down(context, before, str(error))
    names = [text.partition(":")[0] for text in late]
    if set(names) - set(before.get("late", [])):
        notify_late(product.load(), late)
    last = {s.streamed.table: str(s.last) for s in tables}
    cursor = json.dumps({"late": names, "last": last, "down": ""})
    return dg.SensorResult(
        asset_events=events(tables, before.get("last", {}), bool(late)),
        cursor=cursor,
        skip_reason=dg.SkipReason(
            "; ".join(late) or "all streams are fresh, or their market is closed"
        ),
    )


def events(tables: Sequence[TableState], before: dict[str, str], late: bool) -> list[Any]:
    """What Dagster is to note: a table that moved, or one that owes nothing just now."""
    moved = {
        s.streamed.table for s in tables if s.last and before.get(s.streamed.table) != str(s.last)
    }
    quiet = "tick" not in moved and not late
    noted: list[Any] = []
    for one in tables:
        if one.streamed.steady and (one.streamed.table in moved or (quiet and one.last)):
            noted.append(dg.AssetMaterialization(key_of(one.streamed), metadata=metadata_of(one)))
        elif one.streamed.table in moved:
            noted.append(dg.AssetObservation(key_of(one.streamed), metadata=metadata_of(one)))
    return noted


@dg.sensor(
    name="drift_sensor",
    job_name=_TRAINING,
    description="Starts a training when a feature's distribution drifted.",
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def drift_sensor(
    context: dg.SensorEvaluationContext, tickhouse: Tickhouse
) -> dg.RunRequest | dg.SkipReason:
    """One training for all drift found since it last looked; none while one runs."""
    if going := still_going(context.instance, _TRAINING):
        return dg.SkipReason(f"{_TRAINING} still runs ({going})")
    try:
        client = tickhouse.client()
        try:
            rows = client.query(_DRIFT, parameters={"after": int(context.cursor or 0)}).result_rows
        finally:
            client.close()
    except TickhouseError as error:
        return dg.SkipReason(str(error))
    if not rows:
        return dg.SkipReason("no feature drifted since")
    newest = str(rows[-1][0])
    context.update_cursor(newest)
    why = "; ".join(f"{day} {check}: {detail}" for _, check, day, detail in rows)[:1000]
    return dg.RunRequest(
        run_key=newest,
        run_config={"ops": {"challenger": {"config": {"why": f"drift: {why}"}}}},
        tags={"tickhouse/why": "drift"},
    )


def _down(
    context: dg.SensorEvaluationContext, before: dict[str, Any], problem: str
) -> dg.SkipReason:
    if not before.get("down"):
        notify_late(product.load(), [problem])
    context.update_cursor(json.dumps({**before, "down": problem}))
    return dg.SkipReason(problem)
