"""What the Prometheus of `up --prometheus` reads."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import certificates
from cli.stack.prometheus import configuration, prometheus
from core import tls
from core.errors import SettingsError
from core.sections import RuleSettings
from core.settings import Settings


def test_without_prometheus_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"no prometheus on PATH; install it .*targets\.json"):
        prometheus(Settings(), tmp_path, 9090)


def test_it_scrapes_the_home_and_has_the_rules(tmp_path: Path) -> None:
    plain = json.loads(json.dumps(configuration(RuleSettings(), tmp_path)))
    (job,) = plain["scrape_configs"]
    assert job["file_sd_configs"] == [{"files": [str(tmp_path / "run" / "targets.json")]}]
    assert "tls_config" not in job
    rules = json.loads(Path(plain["rule_files"][0]).read_text())["groups"][0]["rules"]
    assert {"ProcessDown", "FeedStale", "WatchSilent"} <= {rule["alert"] for rule in rules}
    assert plain["alerting"]["alertmanagers"] == []


def test_on_a_home_with_tls_it_trusts_the_authority_and_speaks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates.issue(tmp_path, [], datetime.now(UTC))
    binary = tmp_path / "bin" / "prometheus"
    binary.parent.mkdir()
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(binary.parent))
    spec = prometheus(Settings(rules=RuleSettings(alertmanager="h:9093")), tmp_path, 9090)
    written = json.loads((tmp_path / "prometheus" / "prometheus.yml").read_text())
    (job,) = written["scrape_configs"]
    assert job["tls_config"] == {"ca_file": tls.authority_of(tmp_path)}
    assert written["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["h:9093"]
    assert spec.ready_url == "https://127.0.0.1:9090/-/ready"
    certificate, key = tls.files(tmp_path) or ("", "")
    web = json.loads((tmp_path / "prometheus" / "web.yml").read_text())
    assert web == {"tls_server_config": {"cert_file": certificate, "key_file": key}}
