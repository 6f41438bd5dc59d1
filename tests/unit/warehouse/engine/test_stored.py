"""What is asked of the engine after an insert, and what its answers mean.

The engine here is a table of answers: its real ones need a full disk
(tests/integration/test_warehouse_disk_full.py).
"""

import pytest

from core.errors import WarehouseError
from warehouse.engine.stored import FailedInserts, cause

FULL = "Code: 243. DB::Exception: Cannot reserve 2.00 MiB, not enough space. (NOT_ENOUGH_SPACE)"


class Answers:
    """Answers by a part of the question; what is not there is answered by nothing."""

    def __init__(self, **answers: str) -> None:
        self.answers = {"system.processes": "0", "system.session_query_ids": "a-1"} | {
            f"system.{table}": text for table, text in answers.items()
        }
        self.queries: list[str] = []

    def query(self, sql: str, _format: str) -> "Answers":
        self.queries.append(sql)
        return self

    def bytes(self) -> bytes:
        texts = [text for part, text in self.answers.items() if f"FROM {part} " in self.queries[-1]]
        return texts[0].encode() if texts else b""


def test_an_unmoved_count_settles_it_with_two_questions() -> None:
    engine = Answers(events="0")
    failed = FailedInserts()
    failed.expect_stored(engine, failed.mark())
    assert len(engine.queries) == 2


def test_another_s_failure_is_told_from_ours_by_the_log_and_remembered() -> None:
    engine = Answers(events="3", query_log="stored")
    failed = FailedInserts()
    failed.expect_stored(engine, failed.mark())
    assert failed.mark() == 3


def test_our_failure_is_raised_with_the_engine_s_code() -> None:
    for engine in (Answers(events="1", errors=FULL), Answers(events="1", query_log=FULL)):
        with pytest.raises(WarehouseError, match="not enough space") as caught:
            FailedInserts().expect_stored(engine, 0)
        assert caught.value.code == 243


def test_a_fate_that_cannot_be_found_out_is_a_failure() -> None:
    for engine in (Answers(events="1"), Answers(), Answers(events="1", session_query_ids="")):
        with pytest.raises(WarehouseError, match="repeat it") as caught:
            FailedInserts().expect_stored(engine, 0)
        assert caught.value.code == 319


def test_an_error_without_a_code_is_traced_to_the_engine_s_own() -> None:
    broken = RuntimeError("streaming insert append failed")
    assert str(cause(Answers(errors=FULL), broken)) == FULL
    assert cause(Answers(), broken) is broken
    error = RuntimeError("Code: 27. DB::Exception: Cannot parse")
    assert cause(Answers(errors=FULL), error) is error
