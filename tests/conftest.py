"""Fixtures that more than one kind of test uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import NatsServer
from tests.tls_server import TlsServer


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of reference data; tests that need it skip where it is missing."""
    folder = Path(os.environ.get("TICKHOUSE_TEST_DATA", "../shared/data"))
    if not (folder / "ticks").is_dir():
        pytest.skip(f"no reference data in {folder} (set TICKHOUSE_TEST_DATA)")
    return folder


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A running NATS server with an empty store; `url`, `kill()`, `start()`."""
    with NatsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[TlsServer]:
    """A running NATS server that speaks TLS only and asks for a password."""
    with TlsServer(tmp_path / "nats") as server:
        yield server
