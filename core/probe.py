"""Is a process of this home ready? `python -m core.probe NAME`, for a container's health check.

Exit code 0: it answers `/health` with 200; 1: it does not, and the line says why.
"""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from core import settings, tls
from core.errors import SettingsError

_TIMEOUT_S = 3.0


def probe(name: str, home: Path) -> tuple[bool, str]:
    """Whether the process is ready, and what it reports of itself, or why it does not."""
    try:
        port = int(json.loads((home / "run" / f"{name}.json").read_text())["health_port"])
        url = f"{tls.scheme(home)}://127.0.0.1:{port}/health"
        secured = urllib.request.HTTPSHandler(context=tls.trusted(home))
        with urllib.request.build_opener(secured).open(url, timeout=_TIMEOUT_S) as answer:
            report = json.load(answer)
    except urllib.error.HTTPError as error:  # it answers, and is not ready
        report = json.load(error)
    except (OSError, ValueError, KeyError) as error:
        return False, f"{name} does not answer: {tls.why(error) or error}"
    # A process that ended abruptly leaves its port to others.
    if report.get("process") != name:
        return False, f"{name} does not answer: {report.get('process')} has its port"
    return report["status"] == "ready", f"{name} {report['status']} {report['detail']}".rstrip()


def main() -> int:
    """Ask once."""
    if len(sys.argv) != 2:
        print("usage: python -m core.probe NAME   (bus: ask its own /healthz)", file=sys.stderr)
        return 2
    try:
        ready, status = probe(sys.argv[1], settings.load().home_path)
    except SettingsError as error:
        ready, status = False, str(error)
    print(status)
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main())
