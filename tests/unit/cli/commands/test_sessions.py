"""How a session stands, told from its row, the sessions after it and what runs here."""

import pytest
from msgspec.structs import replace

from cli.commands.sessions import CUT_OFF, Here, described
from core.contracts.session import Session

ROW = Session(
    session_id="live-000001-a", run_id="live", mode="demo", account="a", strategy="model",
    number=1, ts_start_us=1_000_000, ts_end_us=0, who="ann", host="desk", home="/home",
    versions='{"tickhouse": "0.2.0"}', fingerprint="{}", settings_hash="s", strategy_hash="",
    limits_hash="", limits_version="default-1", model="", feature_set_hash="f", status="running",
)  # fmt: skip
NEXT = replace(ROW, session_id="live-000002-b", number=2, ts_start_us=5)  # the clock went back
RUNS, RESTS = Here("desk", "/home", True), Here("desk", "/home", False)


@pytest.mark.parametrize(
    ("row", "known", "here", "status"),
    [
        (ROW, [ROW], RUNS, "running"),
        (ROW, [ROW], RESTS, CUT_OFF),
        (ROW, [ROW, NEXT], RUNS, CUT_OFF),
        (NEXT, [ROW, NEXT], RUNS, "running"),
        (ROW, [ROW], Here("elsewhere", "/home", False), "running"),  # nothing is known of it
        (replace(ROW, status="ended", ts_end_us=9), [ROW, NEXT], RESTS, "ended"),
    ],
)
def test_a_start_without_a_last_word(row: Session, known: list[Session], here: Here, status: str):
    assert described(row, known, here)["status"] == status
