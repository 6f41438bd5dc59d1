"""Tells people that a run failed: always in the log, and at a webhook when one is set."""

import json
import logging
import urllib.request

import dagster as dg

from core import settings as product

_log = logging.getLogger(__name__)


def tell(webhook: str, job: str, run_id: str, problem: str) -> None:
    """Log it, and post `{"text", "job", "run_id"}`; a webhook that does not answer is logged."""
    text = f"Tickhouse: {job} failed: {problem}"
    _log.error("%s (run %s)", text, run_id)
    if not webhook:
        return
    body = json.dumps({"text": text, "job": job, "run_id": run_id}).encode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except OSError as error:
        _log.error("the webhook did not take it: %s", error)


@dg.run_failure_sensor(description="Tells people of every run that failed.")
def failure_alert(context: dg.RunFailureSensorContext) -> None:
    """One message per failed run."""
    run = context.dagster_run
    tell(
        product.load().orchestration.webhook,
        run.job_name,
        run.run_id,
        context.failure_event.message or "",
    )
