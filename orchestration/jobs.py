"""What runs together. Names stay: schedules and people's bookmarks hang on them."""

from typing import Any

import dagster as dg

from orchestration.partitions import TRADING_DAYS

_checks = dg.AssetSelection.assets("data_checks")
_bars = dg.AssetSelection.assets("bar_reconciliation")


def jobs(marts: dg.AssetsDefinition) -> list[Any]:
    """Every job; `marts` are the dbt models, whatever they are called."""
    models = dg.AssetSelection.assets(marts)
    checks_of = dg.AssetSelection.checks_for_assets
    return [
        dg.define_asset_job(
            "daily_job",
            _checks | _bars | models | checks_of("data_checks", "bar_reconciliation"),
            partitions_def=TRADING_DAYS,
            description="A trading day: data checks, then marts unless one blocks, and its bars.",
        ),
        dg.define_asset_job(
            "data_checks_job", _checks | checks_of("data_checks"), partitions_def=TRADING_DAYS,
            description="Data checks alone: of a day, of many days, or of one symbol (symbols).",
        ),
        dg.define_asset_job(
            "marts_job", models, partitions_def=TRADING_DAYS,
            description="Marts alone: rebuilds its days, and what changed since it was built.",
        ),
        dg.define_asset_job(
            "bars_job", _bars | checks_of("bar_reconciliation"), partitions_def=TRADING_DAYS,
            description="Minute bars rebuilt from ticks and compared.",
        ),
        dg.define_asset_job(
            "training_job", dg.AssetSelection.groups("training"),
            description="Trains a challenger; a person promotes it.",
        ),
        dg.define_asset_job(
            "watch_job", dg.AssetSelection.groups("watch"),
            description="Models at work: quality and drift; our own orders, scored; tells people,"
            " may reduce trading.",
        ),
        dg.define_asset_job(
            "comparison_job", dg.AssetSelection.groups("comparison"),
            description="Champion against challenger; tells of a proposal, promotes nothing.",
        ),
        dg.define_asset_job(
            "search_job", dg.AssetSelection.groups("search"),
            description="Searches for better settings of a model; a person trains with them.",
        ),
        dg.define_asset_job(
            "maintenance_job", dg.AssetSelection.groups("maintenance"),
            description="Backup, then retention.",
        ),
        dg.define_asset_job(
            "clients_job", dg.AssetSelection.groups("clients"),
            description="Clients' files against the vault; without it nothing is opened for them.",
        ),
        dg.define_asset_job(
            "documentation_job", dg.AssetSelection.groups("documentation"),
            description="The dbt site.",
        ),
    ]  # fmt: skip
