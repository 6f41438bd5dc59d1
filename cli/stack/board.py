"""The live page, and a Grafana if asked for, as part of `tickhouse up`.

Both only look: nothing waits for them, and what fails there stops nothing else.
"""

import os
import shutil
import sys
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cli.stack.free_ports import free_ports
from cli.stack.process_spec import ProcessSpec
from core import tls
from core.errors import SettingsError
from core.settings import Settings
from dashboards.provisioned import for_grafana


class BoardPorts(msgspec.Struct, frozen=True):
    """Loopback ports of the pages."""

    live: int
    grafana: int


USUAL_PORTS = BoardPorts(live=8050, grafana=3001)  # Grafana's own 3000 is Dagster's too


def choose_ports(preferred: BoardPorts = USUAL_PORTS) -> BoardPorts:
    """Free ones, the preferred where those are free."""
    return BoardPorts(*free_ports(msgspec.structs.astuple(preferred)))


def live_page(port: int) -> ProcessSpec:
    """The live page's process."""
    return ProcessSpec(
        "board",
        (sys.executable, "-m", "dashboards.live", "--port", str(port)),
        needs=("bus",),
        waited_for=False,
    )


def grafana(settings: Settings, home: Path, warehouse_url: str, port: int) -> ProcessSpec:
    """Grafana with our data source, boards and alert rules, for looking at without a login.

    Raises:
        SettingsError: there is no `grafana` on PATH.
    """
    binary = shutil.which("grafana")
    if binary is None:
        raise SettingsError(
            "--grafana: no grafana on PATH; install Grafana and its plugin "
            "grafana-clickhouse-datasource, or use the live page, which needs neither"
        )
    return ProcessSpec(
        "grafana",
        (sys.executable, "-m", "cli.stack.grafana_child", binary, "server", *_homepath(binary)),
        _environment(settings, home, warehouse_url, port),
        needs=("warehouse",),
        ready_url=f"{tls.scheme(home)}://127.0.0.1:{port}/api/health",
        waited_for=False,
    )


def _homepath(binary: str) -> tuple[str, ...]:
    """Where its defaults and pages are: above an unpacked archive's bin/, else of the package."""
    unpacked = Path(binary).resolve().parents[1]
    usual = Path("/usr/share/grafana")  # where the packages of Debian and Red Hat put it
    places = (place for place in (unpacked, usual) if (place / "conf/defaults.ini").exists())
    return next((("--homepath", str(place)) for place in places), ())


def _provisioned(settings: Settings, home: Path, shipped: Path) -> Path:
    """What Grafana is provisioned from: as shipped, with the limits that the settings have."""
    folder = home / "grafana" / "provisioning"
    shutil.copytree(shipped, folder, dirs_exist_ok=True)
    (folder / "alerting" / "rules.json").write_text(for_grafana(settings.rules))
    return folder


def _environment(settings: Settings, home: Path, warehouse_url: str, port: int) -> dict[str, str]:
    folder = Path(str(resources.files("dashboards")))
    where = urlsplit(warehouse_url)
    secure = where.scheme == "https"
    return {
        **_served_with_tls(home),
        "GF_SERVER_HTTP_ADDR": "127.0.0.1",
        "GF_SERVER_HTTP_PORT": str(port),
        "GF_PATHS_DATA": str(home / "grafana"),
        "GF_PATHS_LOGS": str(home / "grafana" / "log"),
        "GF_PATHS_PLUGINS": os.environ.get("GF_PATHS_PLUGINS", "/var/lib/grafana/plugins"),
        "GF_PATHS_PROVISIONING": str(_provisioned(settings, home, folder / "provisioning")),
        "GF_AUTH_ANONYMOUS_ENABLED": "true",  # loopback only, and a viewer changes nothing
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "TICKHOUSE_GRAFANA_BOARDS": str(folder / "boards"),
        "TICKHOUSE_GRAFANA_HOST": where.hostname or "127.0.0.1",
        "TICKHOUSE_GRAFANA_PORT": str(where.port or 8123),
        "TICKHOUSE_GRAFANA_SECURE": str(secure).lower(),
        # An authority of its own; without one, those that the machine trusts.
        "TICKHOUSE_GRAFANA_WITH_CA": str(secure and bool(_authority(settings, home))).lower(),
        "TICKHOUSE_GRAFANA_CA_FILE": _authority(settings, home) if secure else "",
        "TICKHOUSE_GRAFANA_WEBHOOK": settings.alerts.webhook or "http://127.0.0.1:9",
    }


def _served_with_tls(home: Path) -> dict[str, str]:
    shown = tls.files(home)
    if shown is None:
        return {}
    certificate, key = shown
    return {
        "GF_SERVER_PROTOCOL": "https",
        "GF_SERVER_CERT_FILE": certificate,
        "GF_SERVER_CERT_KEY": key,
        "GF_SECURITY_COOKIE_SECURE": "true",
    }


def _authority(settings: Settings, home: Path) -> str:
    return settings.clickhouse.ca or tls.authority_of(home)
