"""Everything Dagster knows, merged. Settings are read when Dagster asks, not at import."""

import dagster as dg

from core import settings as product
from orchestration import dbt_project
from orchestration.alerts import failure_alert
from orchestration.defs import compliance
from orchestration.defs.data_quality import bar_reconciliation, data_checks
from orchestration.defs.maintenance import backup, retained, streamed_tables
from orchestration.defs.training import challenger
from orchestration.defs.transform import marts_of
from orchestration.resources import Tickhouse
from orchestration.schedules import JOBS, SCHEDULES


@dg.definitions
def definitions() -> dg.Definitions:
    """Assets, jobs, schedules, sensors and the one resource."""
    marts = marts_of(dbt_project.manifest(product.load()))
    return dg.Definitions(
        assets=[
            marts, streamed_tables, data_checks, bar_reconciliation, challenger, backup, retained,
            *compliance.ASSETS,
        ],
        jobs=[*JOBS, *compliance.JOBS],
        schedules=[*SCHEDULES, *compliance.SCHEDULES],
        sensors=[failure_alert],
        resources={"tickhouse": Tickhouse()},
    )  # fmt: skip
