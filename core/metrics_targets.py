"""`<home>/run/targets.json`: where Prometheus finds every process of a home (`file_sd_configs`).

Each process chooses a free port, so each that starts writes the list anew, from what all of them
have left beside it. One that was killed stays on it until it is started again: Prometheus sees it
down, which is true.
"""

import json
from pathlib import Path
from typing import Any

from core import durable, tls
from core.file_lock import locked

NAME = "targets.json"
_WAIT_S = 10.0


def write(directory: Path) -> None:
    """The list of all processes that have left their port in `directory` (`<home>/run`).

    Raises:
        BusyError: another process holds the list for ten seconds.
        OSError: the disk is full.
    """
    with locked(directory / "targets.lock", timeout_s=_WAIT_S):
        scheme = tls.scheme(directory.parent)
        targets = [_target(path, scheme) for path in sorted(directory.glob("*.json"))]
        content = json.dumps([one for one in targets if one], indent=2)
        durable.write(directory / NAME, content.encode())


def _target(path: Path, scheme: str) -> dict[str, Any] | None:
    try:
        said = json.loads(path.read_bytes())
        port = said["health_port"]
    except (OSError, ValueError, KeyError, TypeError):  # something else, or just going
        return None
    labels = {"job": "tickhouse", "process": path.stem, "__scheme__": scheme}
    return {"targets": [f"127.0.0.1:{port}"], "labels": labels}
