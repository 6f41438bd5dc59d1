"""What a home's file says of the stack that holds it; a damaged one says nothing."""

from pathlib import Path

import pytest

from cli.stack import running
from cli.stack.home_lock import HomeLock
from cli.stack.running import RunningStack

STACK = RunningStack(1, "up", 2, "/tmp/s", {"bus": "nats://x"}, ())


@pytest.mark.parametrize("content", [b"", b"{", b'{"command":"\xff"}', b"[]"])
def test_a_damaged_file_is_a_stack_about_to_start(tmp_path: Path, content: bytes) -> None:
    running.write_down(tmp_path, STACK)
    lock = HomeLock(tmp_path).acquire()
    try:
        assert running.running(tmp_path) == STACK
        (tmp_path / "run" / "stack.json").write_bytes(content)
        assert running.running(tmp_path) is None
    finally:
        lock.release()
    running.remove_leftovers(tmp_path)
