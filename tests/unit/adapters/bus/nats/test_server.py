"""The embedded server's command line and configuration."""

import importlib.metadata
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from adapters.bus.nats.server import binary, command, configuration
from core.errors import SettingsError
from tests.support.servers import free_port


def test_every_listener_is_on_loopback_and_every_write_synced(tmp_path: Path) -> None:
    text = configuration(tmp_path, 4222, 8222)
    assert 'listen: "127.0.0.1:4222"' in text
    assert 'http: "127.0.0.1:8222"' in text
    assert "sync_interval: always" in text
    assert f"max_payload: {8 * 1024 * 1024}" in text


def test_command_makes_the_directory_and_names_the_configuration(tmp_path: Path) -> None:
    home = tmp_path / "a home" / 'with "quotes"'
    line = command(home, 4222, 8222)
    assert Path(line[0]) == binary()
    assert Path(line[-1]).read_text() == configuration(home, 4222, 8222)
    checked = subprocess.run([*line, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_without_a_server_the_error_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "files", missing)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SettingsError, match=r"extra `main`.*bus\.url"):
        binary()


@pytest.mark.process
def test_the_module_becomes_the_server_and_ends_with_its_process(tmp_path: Path) -> None:
    monitor_port = free_port()
    ports = ["--port", str(free_port()), "--monitor-port", str(monitor_port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "adapters.bus.nats.server", "--home", str(tmp_path), *ports],
        stderr=subprocess.DEVNULL,
    )
    try:
        assert health(monitor_port) == {"status": "ok"}
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert (tmp_path / "jetstream").is_dir()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{monitor_port}/healthz", timeout=1)


def health(port: int) -> object:
    """What the monitor answers, once it answers."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
