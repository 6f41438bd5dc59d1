"""Is a process of this home ready? `python -m core.probe NAME`, for a container's health check.

Exit code 0: it answers `/health` with 200; 1: it does not, and the line says why.
"""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from core import settings
from core.errors import SettingsError

_TIMEOUT_S = 3.0


def probe(name: str, home: Path) -> tuple[bool, str]:
    """Whether the process is ready, and its own word about itself, or why there is none."""
    try:
        port = int(json.loads((home / "run" / f"{name}.json").read_text())["health_port"])
        url = f"http://127.0.0.1:{port}/health"
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:  # it answers, and is not ready
        said = json.load(error)
    except (OSError, ValueError, KeyError) as error:
        return False, f"{name} does not answer: {error}"
    # A process that ended without a word leaves its port to others.
    if said.get("process") != name:
        return False, f"{name} does not answer: {said.get('process')} has its port"
    return said["status"] == "ready", f"{name} {said['status']} {said['detail']}".rstrip()


def main() -> int:
    """Ask once."""
    if len(sys.argv) != 2:
        print("usage: python -m core.probe NAME   (bus: ask its own /healthz)", file=sys.stderr)
        return 2
    try:
        ready, word = probe(sys.argv[1], settings.load().home_path)
    except SettingsError as error:
        ready, word = False, str(error)
    print(word)
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main())
