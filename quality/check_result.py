"""What a check found, as a row of `check_result`. Knows nothing of how it was found."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from quality.trading_day import bounds


class CheckResult(msgspec.Struct, frozen=True):
    """One row of `check_result`; times in microseconds, UTC."""

    check_id: str
    suite: str
    table_name: str
    run_id: str
    ts_event_us: int
    ts_init_us: int
    status: str  # passed, failed or error
    severity: str  # error blocks, warning does not
    observed: float  # share of rows that broke it
    expected: str
    rows_checked: int
    rows_failed: int
    detail: str

    @property
    def rule(self) -> str:
        """The rule's name, without its subject."""
        return self.check_id.rpartition(".")[2]

    @property
    def subject(self) -> str:
        """What it was run on."""
        return self.check_id.rpartition(".")[0]

    @property
    def blocks(self) -> bool:
        """Whether what depends on the rows must wait."""
        return self.status != "passed" and self.severity == "error"


def store(client: Client, results: Sequence[CheckResult]) -> None:
    """Write them; the same check of the same day replaces itself."""
    if not results:
        return
    names = [name.removesuffix("_us") for name in CheckResult.__struct_fields__]
    client.insert(
        "check_result",
        [
            [
                datetime.fromtimestamp(value / 1e6, UTC) if name.endswith("_us") else value
                for name, value in msgspec.structs.asdict(result).items()
            ]
            for result in results
        ],
        column_names=names,
    )


def blocked_days(client: Client) -> list[date]:
    """Trading days of which a blocking check failed when it last ran."""
    with errors_translated():
        ends = client.query(
            "SELECT DISTINCT toUnixTimestamp(ts_event) FROM check_result FINAL "
            "WHERE severity = 'error' AND status != 'passed' ORDER BY 1"
        ).result_rows
    close = [datetime.fromtimestamp(int(end), UTC) for (end,) in ends]
    days = [(end + timedelta(hours=1)).date() for end in close]
    return [day for day, end in zip(days, close, strict=True) if bounds(day)[1] == end]
