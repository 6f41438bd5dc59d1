"""What `up` starts to look at things with."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import certificates
from cli.stack import board, grafana_child
from core import tls
from core.errors import SettingsError
from core.sections import RuleSettings
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
    binary = _grafana_on_path(tmp_path, monkeypatch)
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


def test_grafana_s_rules_have_the_limits_of_the_settings_and_one_folder_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _grafana_on_path(tmp_path, monkeypatch)
    rules = RuleSettings(drawdown=0.0123, page="https://desk.example")
    spec = board.grafana(Settings(rules=rules), tmp_path, "http://127.0.0.1:8123", 3001)
    folder = Path(spec.environment["GF_PATHS_PROVISIONING"])
    assert folder.is_relative_to(tmp_path)
    (group,) = json.loads((folder / "alerting" / "rules.json").read_text())["groups"]
    assert group["folder"] != "Tickhouse"  # that of the boards: a second of the title would appear
    by_name = {rule["uid"]: rule for rule in group["rules"]}
    drawdown = by_name["tickhouse-drawdown"]
    limits = drawdown["data"][1]["model"]["conditions"][0]["evaluator"]["params"]
    assert limits == [0.0123]
    assert drawdown["annotations"]["runbook_url"] == "https://desk.example/runbooks#drawdown"
    assert "GF_DASHBOARDS_MIN_REFRESH_INTERVAL" not in spec.environment


def test_grafana_unpacked_from_an_archive_has_its_defaults_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = _grafana_on_path(tmp_path, monkeypatch)
    assert "--homepath" not in board.grafana(Settings(), tmp_path, "http://h:1", 3001).command
    (binary.parents[1] / "conf").mkdir()
    (binary.parents[1] / "conf" / "defaults.ini").touch()
    command = board.grafana(Settings(), tmp_path, "http://h:1", 3001).command
    assert command[-2:] == ("--homepath", str(binary.resolve().parents[1]))


def test_on_a_home_with_tls_grafana_speaks_it_and_trusts_the_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _grafana_on_path(tmp_path, monkeypatch)
    plain = board.grafana(Settings(), tmp_path, "http://127.0.0.1:8123", 3001)
    assert plain.environment["TICKHOUSE_GRAFANA_SECURE"] == "false"
    assert grafana_child.environment(plain.environment)["TICKHOUSE_GRAFANA_CA"] == ""
    certificates.issue(tmp_path, [], datetime.now(UTC))
    spec = board.grafana(Settings(), tmp_path, "https://127.0.0.1:8123", 3001)
    assert spec.ready_url == "https://127.0.0.1:3001/api/health"
    certificate, key = tls.files(tmp_path) or ("", "")
    assert spec.environment["GF_SERVER_PROTOCOL"] == "https"
    assert spec.environment["GF_SERVER_CERT_FILE"] == certificate
    assert spec.environment["GF_SERVER_CERT_KEY"] == key
    given = grafana_child.environment(spec.environment)
    assert given["TICKHOUSE_GRAFANA_SECURE"] == given["TICKHOUSE_GRAFANA_WITH_CA"] == "true"
    assert given["TICKHOUSE_GRAFANA_CA"] == Path(tls.authority_of(tmp_path)).read_text()


def test_an_authority_that_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a PEM file is needed"):
        grafana_child.environment({"TICKHOUSE_GRAFANA_CA_FILE": str(tmp_path / "none.pem")})


def _grafana_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    binary = folder / "unpacked" / "bin" / "grafana"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(binary.parent))
    return binary
