"""A decision recomputed from its ticks, for who shows it: `tickhouse explain` in its own process.

Recomputing loads kernels and models, which no server carries along.
"""

import json
import subprocess
import sys
from typing import Any

from core.errors import TickhouseError

_WITHIN_S = 300


def explained(name: str) -> dict[str, Any]:
    """What the command says of an id, with its own settings from the environment. Blocking.

    Raises:
        TickhouseError: nothing of that id is stored, or it cannot be recomputed.
    """
    line = [sys.executable, "-m", "cli.main", "explain", "--json", "--", name]
    done = subprocess.run(line, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    if not done.stdout.startswith("{"):
        problem = done.stderr.strip()[-1000:] or "nothing of that id is stored"
        raise TickhouseError(problem)
    said: dict[str, Any] = json.loads(done.stdout)
    return said
