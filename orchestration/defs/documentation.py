"""The dbt site: every mart, column, test and exposure, with the lineage between them."""

import shutil

import dagster as dg

from orchestration import dbt_project, sites
from orchestration.defs.transform import POOL
from orchestration.resources import Tickhouse, plain_failures


@dg.asset(
    group_name="documentation",
    pool=POOL,
    kinds={"dbt"},
    description="The dbt site, one page that needs nothing else; served beside Dagster.",
)
def dbt_docs(tickhouse: Tickhouse) -> dg.MaterializeResult:
    """Generate it into HOME/sites."""
    with plain_failures():
        settings = tickhouse.settings()
        target = settings.home_path / "dbt-docs"  # not the folder of builds
        dbt_project.run(
            settings, "docs generate", {"mode": settings.marts_mode}, "--static",
            target_path=target,
        )  # fmt: skip
    folder = sites.folders(settings.home_path)[sites.DBT_DOCS]
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target / "static_index.html", folder / "index.html")
    size = (folder / "index.html").stat().st_size
    return dg.MaterializeResult(
        metadata={"site": dg.MetadataValue.url(sites.link(sites.DBT_DOCS)), "bytes": size}
    )
