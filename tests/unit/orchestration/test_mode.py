"""Schedules build the marts of what runs."""

from msgspec.structs import replace

from core.sections import OrchestrationSettings
from core.settings import Settings
from orchestration.defs.transform import mode_of

DEMO = Settings()


def test_marts_are_of_the_mode_that_runs():
    assert mode_of(DEMO) == "demo"
    assert mode_of(replace(DEMO, run=replace(DEMO.run, mode="live"))) == "live"


def test_another_world_is_built_where_one_is_named():
    assert mode_of(replace(DEMO, orchestration=OrchestrationSettings(mode="replay"))) == "replay"
