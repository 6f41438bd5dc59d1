"""What people read of dbt: its errors, not its chatter."""

from orchestration.dbt_project import what_failed
from orchestration.dbt_results import built_models


def test_the_errors_of_dbt_are_what_is_told(tmp_path) -> None:
    output = "\n".join(
        [
            "Running with dbt=1.11",
            "1 of 2 START",
            "Failure in test x (models/a.yml)",
            "  Got 1 result",
        ]
    )
    assert what_failed(output).splitlines() == [
        "Failure in test x (models/a.yml)",
        "  Got 1 result",
    ]
    assert what_failed("nothing known") == "nothing known"
    assert built_models(tmp_path) == {}
