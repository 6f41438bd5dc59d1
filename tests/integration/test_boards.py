"""Every panel of every board runs against the embedded server filled by a replay of real ticks."""

from pathlib import Path
from typing import Any

import pytest

from dashboards.grafana.__main__ import BOARDS, FOLDER
from tests.integration.analysed import MARTS, Analysed
from tests.support.board_panels import check_columns, targets, with_parameters

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models")]


EVERY = [
    pytest.param(panel, sql, id=f"{name}: {title}")
    for name in BOARDS
    for title, panel, sql in targets(name)
]


#: Panels about what this replay does not have: nothing was halted, denied, refused or checked.
EMPTY = {
    *("Refused by the broker", "Halts", "Registered models", "Quarantine", "Checks", "Gaps"),
    *("Trading state", "Denied by rule", "What the denied would have made"),
    *("Promotions", "Restatements", "Reports due", "Alerts"),
    *("Challenger's distance from the champion", "Broker and twin"),
    *("Slippage by hour, broker and twin", "Exposure", "Messages to the broker", "Backup age"),
    *(
        "Ticks refused",
        "Corrections",
        "Ticks corrected",
        "Made again",
        "Denied by control",
        "Stops",
        "Gross lots",
    ),
    *("Clock against its references", "Signed controls", "What people ordered", "Limits met"),
    *("Breakers and leases", "Alerts by rule", "Starts", "Stress"),
    *("Left before a firm's rules", "Rules of the firm"),  # of a busy day, which has a firm
}


@pytest.mark.parametrize(("panel", "sql"), EVERY)
def test_a_panel_gets_the_columns_its_type_draws(
    analysed: Analysed, panel: dict[str, Any], sql: str, request: pytest.FixtureRequest
) -> None:
    answer = analysed.client.query(with_parameters(analysed.client, MARTS, "replay", sql))
    check_columns(panel, answer)
    title = request.node.callspec.id.partition(": ")[2]
    assert answer.result_rows or title in EMPTY, "nothing to draw"


#: Tables that a time or run filter must not read whole.
BIG = (
    *("tick", "bar_1m", "bar_5m", "bar_1h", "prediction", "shadow_prediction", "signal"),
    "order_event",
    *("stage_latency", "process_state", "audit_event"),
)


@pytest.mark.parametrize(("panel", "sql"), EVERY)
def test_a_panel_uses_the_primary_key(analysed: Analysed, panel: dict[str, Any], sql: str) -> None:
    statement = with_parameters(analysed.client, MARTS, "replay", sql)
    plan = analysed.client.query(f"EXPLAIN indexes = 1 {statement}").result_rows
    text = "\n".join(line for (line,) in plan)
    for part in text.split("ReadFromMergeTree")[1:]:
        table = part.split("(tickhouse.", 1)[-1].split(")")[0]
        read = "Parts:" in part  # else it is a table for longer spans, left out by its condition
        if table in BIG and read:
            key = part.partition("PrimaryKey")[2]
            assert "Condition: true" not in key.split("Granules")[0], f"{table}:\n{part}"
            assert key, f"{table} is read without its primary key:\n{part}"


def test_nothing_of_a_persons_own_is_in_the_boards() -> None:
    texts = [path.read_text() for path in Path(FOLDER).glob("*.json")]
    assert len(texts) == len(BOARDS)
    assert all('"uid": "tickhouse-' in text for text in texts)
