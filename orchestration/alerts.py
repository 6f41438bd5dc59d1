"""Who is told when a run fails or the streams are late; how and how often, is
`adapters/alert_box.py`'s matter.
"""

import dagster as dg
import msgspec

from adapters.alert_box import AlertBox, Delivery
from core import settings as product
from core.clock import SystemClock
from core.sections import AlertSettings
from core.settings import Settings
from orchestration.sites import DATA_DOCS

_LONGEST = 1500  # characters of an error; all of it stands in the run


def audience(settings: Settings) -> AlertSettings:
    """The alerts' settings; `orchestration.webhook` stands in for `alerts.webhook`."""
    chosen = settings.alerts
    if settings.orchestration.webhook and not chosen.webhook:
        chosen = msgspec.structs.replace(chosen, webhook=settings.orchestration.webhook)
    return chosen


def box(settings: Settings) -> AlertBox:
    """Where alerts of this home wait for their turn."""
    return AlertBox(settings.home_path, audience(settings), SystemClock())


def notify_failure(settings: Settings, job: str, run_id: str, problem: str) -> Delivery:
    """A run failed."""
    short = problem if len(problem) <= _LONGEST else problem[:_LONGEST] + " ..."
    facts = {"job": job, "run_id": run_id}
    return box(settings).notify(f"Tickhouse: {job} failed", short, facts)


def notify_late(settings: Settings, problems: list[str]) -> Delivery:
    """Streams are silent although their markets are open."""
    return box(settings).notify(
        "Tickhouse: streams are late", "; ".join(problems), {"job": "streams"}
    )


def notify_drift(settings: Settings, model: str, problem: str) -> Delivery:
    """A model that trades no longer has the market it was trained on."""
    facts = {"job": "watch_job", "model": model}
    return box(settings).notify(
        f"Tickhouse: the market of model {model[:12]} drifted", problem, facts
    )


def notify_proposal(settings: Settings, model: str, problem: str) -> Delivery:
    """The rule proposes the challenger; a person promotes it, or does not."""
    facts = {"job": "comparison_job", "model": model}
    return box(settings).notify("Tickhouse: a challenger is proposed", problem, facts)


def notify_members(settings: Settings, model: str, problem: str) -> Delivery:
    """Members of a model at work have no part in what it says."""
    facts = {"job": "members", "model": model}
    text = f"{problem}. The others' weights make up for it; train again, or roll back"
    return box(settings).notify("Tickhouse: a member of the model is missing", text, facts)


def problem_of(context: dg.RunFailureSensorContext) -> str:
    """Why a run failed, in the words of the step that did, for a person."""
    events = context.get_step_failure_events()
    problems = []
    for event in events:
        error = event.event_specific_data.error
        while error.cause is not None:  # ours is behind Dagster's wrapping
            error = error.cause
        problems.append(f"{event.step_key}: {error.message.strip()}")
    failed = failed_checks(context)
    if failed:
        problems.append(f"checks that failed: {', '.join(failed)} (pages: /{DATA_DOCS}/)")
    return "; ".join(problems) or context.failure_event.message or "no reason given"


def failed_checks(context: dg.RunFailureSensorContext) -> list[str]:
    """Blocking checks of the run that did not pass."""
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    failed = []
    for entry in context.instance.all_logs(context.dagster_run.run_id, of_type=kind):
        checked = entry.dagster_event.asset_check_evaluation_data
        if not checked.passed and checked.severity == dg.AssetCheckSeverity.ERROR:
            failed.append(checked.check_name)
    return failed


@dg.run_failure_sensor(
    description="Tells people of every run that failed: log, webhook, e-mail, Telegram.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
)
def failure_alert(context: dg.RunFailureSensorContext) -> None:
    """One message per failed run."""
    run = context.dagster_run
    notify_failure(product.load(), run.job_name, run.run_id, problem_of(context))
