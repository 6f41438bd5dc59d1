"""Fixtures that more than one kind of test uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import NatsServer


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A running NATS server with an empty store; `url`, `kill()`, `start()`."""
    with NatsServer(tmp_path / "nats") as server:
        yield server
