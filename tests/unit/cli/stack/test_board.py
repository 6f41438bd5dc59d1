"""What `up` starts to look at things with."""

from pathlib import Path

import pytest

from cli.stack import board, grafana_child
from core.errors import SettingsError
from core.settings import Settings


def test_the_live_page_needs_the_bus_alone_and_nobody_waits_for_it() -> None:
    spec = board.live_page(8050)
    assert spec.command[1:] == ("-m", "dashboards.live", "--port", "8050")
    assert (spec.needs, spec.waited_for) == (("bus",), False)


def test_without_grafana_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="no grafana on PATH; install"):
        board.grafana(Settings(), tmp_path, "http://127.0.0.1:8123", 3001)


def test_grafana_is_provisioned_with_what_the_files_ask_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "grafana"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    spec = board.grafana(Settings(), tmp_path, "http://127.0.0.1:8123", 3001)
    assert spec.command[1:5] == ("-m", "cli.stack.grafana_child", str(binary), "server")
    assert "secret" not in " ".join(spec.command) + str(spec.environment)  # the supervisor's file
    inherited = {
        "TICKHOUSE_CLICKHOUSE__USER": "grafana",
        "TICKHOUSE_CLICKHOUSE__PASSWORD": "secret",
    }
    given = grafana_child.environment({**inherited, **spec.environment})
    assert given["TICKHOUSE_GRAFANA_PASSWORD"] == "secret"
    provisioning = Path(spec.environment["GF_PATHS_PROVISIONING"])
    requested = {
        text.strip("\"',")
        for file in provisioning.rglob("*.yaml")
        for text in file.read_text().split()
        if text.startswith("$TICKHOUSE")
    }
    assert {text.removeprefix("$") for text in requested} <= set(given)
    assert len(requested) >= 6
    assert list(Path(spec.environment["TICKHOUSE_GRAFANA_BOARDS"]).glob("*.json"))
