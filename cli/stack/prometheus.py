"""A Prometheus of the home's own, as part of `tickhouse up --prometheus`.

It scrapes every process where `<home>/run/targets.json` says that it is, and evaluates the alert
rules that ship. It only looks: nothing waits for it. Its files are written anew at each start.
"""

import json
import shutil
from importlib import resources
from pathlib import Path

from cli.stack.process_spec import ProcessSpec
from core import durable, metrics_targets, tls
from core.errors import SettingsError
from core.sections import RuleSettings
from core.settings import Settings

USUAL_PORT = 9090
_KEPT = "15d"


def prometheus(settings: Settings, home: Path, port: int) -> ProcessSpec:
    """The prometheus on PATH, on loopback.

    Raises:
        SettingsError: there is none.
    """
    binary = shutil.which("prometheus")
    if binary is None:
        raise SettingsError(
            "--prometheus: no prometheus on PATH; install it (Debian: apt install prometheus), or"
            f" let yours read {home / 'run' / metrics_targets.NAME} (docs/reference/metrics.md)"
        )
    folder = home / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    durable.write(
        folder / "prometheus.yml", json.dumps(configuration(settings.rules, home)).encode()
    )
    return ProcessSpec(
        "prometheus",
        (
            binary,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--storage.tsdb.retention.time={_KEPT}",
            f"--web.listen-address=127.0.0.1:{port}",
            *_served_with_tls(home, folder),
        ),
        ready_url=f"{tls.scheme(home)}://127.0.0.1:{port}/-/ready",
        waited_for=False,
    )


def configuration(rules: RuleSettings, home: Path) -> dict[str, object]:
    """Its configuration file, as JSON, which is YAML too."""
    shipped = (
        Path(str(resources.files("dashboards"))) / "provisioning" / "prometheus" / "rules.json"
    )
    scraped: dict[str, object] = {
        "job_name": "tickhouse",
        "file_sd_configs": [{"files": [str(home / "run" / metrics_targets.NAME)]}],
    }
    if tls.files(home):
        scraped["tls_config"] = {"ca_file": tls.authority_of(home)}
    receivers = (
        [{"static_configs": [{"targets": [rules.alertmanager]}]}] if rules.alertmanager else []
    )
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [str(shipped)],
        "scrape_configs": [scraped],
        "alerting": {"alertmanagers": receivers},
    }


def _served_with_tls(home: Path, folder: Path) -> tuple[str, ...]:
    shown = tls.files(home)
    if shown is None:
        return ()
    certificate, key = shown
    content = {"tls_server_config": {"cert_file": certificate, "key_file": key}}
    durable.write(folder / "web.yml", json.dumps(content).encode())
    return (f"--web.config.file={folder / 'web.yml'}",)
