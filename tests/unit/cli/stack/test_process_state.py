"""A process that dies while it answers is one that does not answer."""

import socket
import threading
from pathlib import Path

import pytest

from cli.stack.process_state import observe
from cli.stack.supervisor_client import ProcessInfo
from core.process_view import ProcessView


def test_a_process_that_dies_while_answering_is_not_ready(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_half() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 112\r\n\r\n")

    thread = threading.Thread(target=answer_half)
    thread.start()
    file = tmp_path / "worker.json"
    file.write_text(f'{{"pid": 7, "health_port": {listener.getsockname()[1]}}}')
    view = ProcessView("worker", str(file), "", str(tmp_path / "log"))
    info = ProcessInfo("worker", "running", 7, 1, 1, 0, "")
    state = observe([view], {"worker": info})["worker"]
    thread.join()
    listener.close()
    assert not state.ready
    assert state.health == "silent"


def test_who_waits_for_an_end_disturbs_no_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        file = tmp_path / "worker.json"
        file.write_text(f'{{"pid": 7, "health_port": {listener.getsockname()[1]}}}')
        view = ProcessView("worker", str(file), "", str(tmp_path / "log"))
        info = ProcessInfo("worker", "fatal", 7, 1, 1, 1, "no such file")
        state = observe([view], {"worker": info}, health=False)["worker"]
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert (state.state, state.health, state.detail) == ("fatal", "", "no such file")
