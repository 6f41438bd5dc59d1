"""Runs the heavy suites one by one, those first that the change touches: `make test-heavy`.

Each suite is a pytest of its own, so that what hangs or fails in one says nothing of the next.
Machines differ by a factor of five, and continuous integration has an end: past `--until` no
further suite begins, and the last lines name what was not reached.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Suite(NamedTuple):
    """One heavy suite: which tests it is, and whose change calls for it first."""

    name: str
    touched_by: tuple[str, ...]  # prefixes of paths

    @property
    def marker(self) -> str:
        """The pytest expression that selects it."""
        of_suite = f"heavy(suite={self.name!r}) and not cluster"
        return "reference and not heavy" if self.name == "reference" else of_suite


SUITES = (
    Suite("survival", ("adapters/", "execution/", "streams/", "cli/", "tests/e2e/")),
    Suite("security", ("warehouse/", "core/", "adapters/", "execution/", "tests/security/")),
    Suite("warehouse", ("warehouse/", "adapters/clickhouse/", "tests/integration/test_warehouse")),
    Suite(
        "golden",
        ("reports/", "execution/", "dbt/", "audit/", "tests/golden", "tests/support/scripted_day"),
    ),
    Suite("orchestration", ("orchestration/", "dbt/", "quality/", "models/", "reports/")),
    Suite("models", ("models/", "features/", "backtest/", "streams/")),
    Suite("reference", ("adapters/files/", "features/", "quality/", "tests/")),
    Suite("kafka", ("adapters/bus/", "streams/quix/", "tests/kafka/", "compose.yaml")),
    Suite("browser", ("dashboards/",)),
    Suite("docs", ("docs/", "examples/", "tickhouse/", "mkdocs.yml", "requirements/docs.txt")),
    Suite(
        "chaos",
        ("execution/", "adapters/mt5/", "adapters/simulator/", "tests/chaos/", "tests/simulation/"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites named, or all; 0 when every one that ran passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.heavy", description=__doc__)
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help=", ".join(s.name for s in SUITES)
    )
    parser.add_argument("--until", type=float, help="epoch second after which none is begun")
    options = parser.parse_args(arguments)
    unknown = set(options.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"no suite {', '.join(sorted(unknown))}")
    chosen = [suite for suite in SUITES if not options.suites or suite.name in options.suites]
    return _run(by_touch(chosen, changed_files()), options.until)


def by_touch(suites: Sequence[Suite], changed: Sequence[str]) -> list[Suite]:
    """The suites that the changed files touch, then the rest, each in its order."""
    return sorted(
        suites, key=lambda suite: not any(f.startswith(suite.touched_by) for f in changed)
    )


def changed_files() -> list[str]:
    """Files of the commits since CHANGE_BASE, else of the last day's, and uncommitted ones."""
    base = os.environ.get("CHANGE_BASE") or _git("rev-list", "-1", "--before=1 day ago", "HEAD")
    return _git("diff", "--name-only", base.strip() or "HEAD").split()


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout


def _run(suites: Sequence[Suite], until: float | None) -> int:
    verdicts, failed, missed = [], [], []
    for suite in suites:
        if until is not None and time.time() > until:
            missed.append(suite.name)
            continue
        began = time.monotonic()
        code = _pytest(suite)
        passed = "passed" if code == 0 else f"FAILED (pytest exit {code})"
        verdicts.append(f"{suite.name:<15} {passed} in {_minutes(time.monotonic() - began)}")
        if code:
            failed.append(suite.name)
    print("\nheavy suites:\n" + "\n".join(f"  {line}" for line in verdicts), flush=True)
    print(_not_reached(missed) if missed else "every suite was reached", flush=True)
    return 1 if failed else 0


def _pytest(suite: Suite) -> int:
    print(f"\n== heavy suite: {suite.name}", flush=True)
    line = [sys.executable, "-m", "pytest", "-m", suite.marker]
    code = subprocess.run(line, cwd=ROOT, check=False).returncode
    if code != 1 or not os.environ.get("CI"):
        return code
    print("== once more, alone, what failed; what passes now is unsteady, and wants mending")
    again = ("--last-failed", "--last-failed-no-failures", "none", "-v")
    return subprocess.run([*line, *again], cwd=ROOT, check=False).returncode


def _not_reached(missed: Sequence[str]) -> str:
    return "not reached, for lack of time: " + ", ".join(missed)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


if __name__ == "__main__":
    sys.exit(main())
