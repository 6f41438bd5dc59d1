"""Everything Dagster knows, merged. Settings are read when Dagster asks, not at import."""

import logging

import dagster as dg

from core import settings as product
from core.errors import TickhouseError
from orchestration import dbt_project
from orchestration.alerts import failure_alert
from orchestration.defs import compliance, compliance_schedules
from orchestration.defs.data_quality import bar_reconciliation, data_checks
from orchestration.defs.documentation import dbt_docs
from orchestration.defs.intraday import intraday_job, intraday_marts, intraday_sensor
from orchestration.defs.maintenance import backup, client_files, retained
from orchestration.defs.model_monitoring import model_comparison, model_watch
from orchestration.defs.offsite import offsite_backup, offsite_job, offsite_sensor
from orchestration.defs.order_scores import scored_orders
from orchestration.defs.restatement import restated_days, restatement_job, restatement_sensor
from orchestration.defs.search import better_settings
from orchestration.defs.statement import (
    broker_statement,
    client_money,
    client_money_job,
    statement_job,
    statement_schedule,
)
from orchestration.defs.streams import streamed_tables
from orchestration.defs.stress import stress_job, stress_results, stress_schedule
from orchestration.defs.training import challenger
from orchestration.defs.transform import broken_marts, marts_of
from orchestration.jobs import jobs
from orchestration.resources import Tickhouse
from orchestration.schedules import SCHEDULES
from orchestration.sensors import drift_sensor, members_sensor, streams_sensor

_log = logging.getLogger(__name__)


@dg.definitions
def definitions() -> dg.Definitions:
    """Assets, jobs, schedules, sensors and the one resource."""
    marts = _marts()
    return dg.Definitions(
        assets=[
            *(streamed_tables, data_checks, bar_reconciliation, marts),
            *(
                challenger,
                model_watch,
                model_comparison,
                scored_orders,
                better_settings,
                backup,
                retained,
                client_files,
                offsite_backup,
                dbt_docs,
            ),
            *compliance.ASSETS,
            *(broker_statement, client_money, intraday_marts, restated_days, stress_results),
        ],
        jobs=[
            *jobs(marts),
            *compliance.JOBS,
            statement_job,
            client_money_job,
            intraday_job,
            restatement_job,
            offsite_job,
            stress_job,
        ],
        schedules=[
            *SCHEDULES,
            *compliance_schedules.SCHEDULES,
            statement_schedule,
            stress_schedule,
        ],
        sensors=[
            failure_alert,
            *(streams_sensor, members_sensor, drift_sensor, intraday_sensor),
            *(restatement_sensor, offsite_sensor),
        ],
        resources={"tickhouse": Tickhouse()},
        executor=dg.in_process_executor,  # a process per step would load everything each time
    )


def _marts() -> dg.AssetsDefinition:
    try:
        return marts_of(dbt_project.manifest(product.load()))
    except TickhouseError as error:
        _log.error("%s", error)
        return broken_marts(str(error))
