"""When there is something to bring into the warehouse, told without reading years of log."""

from pathlib import Path

from audit.export import Written
from core.audit_log import AuditLine, append


def test_a_line_that_was_written_is_seen_and_nothing_else_is_read(tmp_path: Path) -> None:
    written = Written(tmp_path)
    empty = written.now()
    assert empty == written.now() != Written.NOTHING  # the first look brings over what there is
    append(tmp_path, AuditLine(1, "ann", True, "override", "more", reason="news"))
    first = written.now()
    assert first != empty
    assert first == written.now()
    chain = tmp_path / "controls" / "chain.jsonl"
    chain.parent.mkdir()
    chain.write_text("{}\n")
    assert written.now() != first
