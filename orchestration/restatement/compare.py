"""Two states of the same rows: how many, and which are others now. For people: it is cut short."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from orchestration.restatement.rows import Change

SHOWN = 20  # rows of each side; how many there are is always said


def changed(before: Sequence[str], after: Sequence[str]) -> Change:
    """Rows that only one side has; equal rows count as often as they stand there."""
    left, right = Counter(before), Counter(after)
    gone, new = sorted((left - right).elements()), sorted((right - left).elements())
    return Change(max(len(gone), len(new)), _side(before, gone), _side(after, new))


def _side(rows: Sequence[str], others: Sequence[str]) -> dict[str, Any]:
    return {"rows": len(rows), "changed": len(others), "shown": list(others[:SHOWN])}
