"""Runs the heavy suites two at a time, those first that the change touches: `make test-heavy`.

Each suite is a pytest of its own, so that what hangs or fails in one says nothing of the next. A
suite waits half of its time, for processes that start, drain and come back: two beside each other
fill two cores, on homes, ports and caches of their own. Machines differ by a factor of five, and
continuous integration has an end: past `--until` no further suite begins, and the last lines name
what was not reached.
"""

import argparse
import functools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, NamedTuple

from tests.support.shared_folder import shared

ROOT = Path(__file__).resolve().parents[1]


class Suite(NamedTuple):
    """One heavy suite: which tests it is, and whose change calls for it first."""

    name: str
    touched_by: tuple[str, ...]  # prefixes of paths
    words: tuple[str, ...] = ()  # what a file with a test of it holds, when it is not the mark

    @property
    def files(self) -> list[str]:
        """Those that hold its tests: importing all the others takes longer than some suites."""
        tests = sorted((ROOT / "tests").rglob("test_*.py"))
        return [str(path.relative_to(ROOT)) for path in tests if self.is_in(path)]

    def is_in(self, path: Path) -> bool:
        """Whether a file may hold tests of it; tests/conftest.py refuses a test that it misses."""
        text = path.read_text("utf-8")
        return any(word in text for word in self.words or (f'suite="{self.name}"',))

    @property
    def marker(self) -> str:
        """The pytest expression that selects it."""
        of_suite = f"heavy(suite={self.name!r}) and not cluster"
        return "reference and not heavy" if self.name == "reference" else of_suite


#: The longest first: two run beside each other, and end together.
SUITES = (
    Suite("orchestration", ("orchestration/", "dbt/", "quality/", "models/", "reports/")),
    Suite("survival", ("adapters/", "bot/", "execution/", "streams/", "cli/", "tests/e2e/")),
    Suite("browser", ("dashboards/", "surveillance/")),
    Suite(
        "kafka",
        ("adapters/bus/", "streams/quix/", "tests/kafka/", "compose.yaml"),
        ("kafka", "bus_server"),
    ),
    Suite("models", ("models/", "features/", "backtest/", "streams/")),
    Suite(
        "chaos",
        ("execution/", "adapters/mt5/", "adapters/simulator/", "tests/chaos/", "tests/simulation/"),
    ),
    Suite(
        "security",
        ("api/", "assistant/", "warehouse/", "core/", "adapters/", "execution/", "tests/security/"),
    ),
    Suite(
        "golden",
        ("reports/", "execution/", "dbt/", "audit/", "tests/golden", "tests/support/scripted_day"),
    ),
    Suite("warehouse", ("warehouse/", "adapters/clickhouse/", "tests/integration/test_warehouse")),
    Suite(
        "docs",
        ("docs/", "examples/", "questions/", "tickhouse/", "mkdocs.yml", "requirements/docs"),
    ),
    Suite(
        "reference",
        ("adapters/files/", "features/", "quality/", "tests/"),
        ("reference_data", "mark.reference"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites named, or all; 0 when every one that ran passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.heavy", description=__doc__)
    parser.add_argument(
        "suites", nargs="*", metavar="SUITE", help=", ".join(s.name for s in SUITES)
    )
    parser.add_argument("--until", type=float, help="epoch second after which none is begun")
    parser.add_argument("--jobs", type=int, default=2, help="suites at a time")
    options = parser.parse_args(arguments)
    unknown = set(options.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"no suite {', '.join(sorted(unknown))}")
    chosen = [suite for suite in SUITES if not options.suites or suite.name in options.suites]
    with shared():
        return run(by_touch(chosen, changed_files()), options.until, options.jobs)


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


_PRINTING = threading.Lock()


def _pytest(suite: Suite) -> int:
    """Run it, with what it says in one piece after its end: others run beside it."""
    print(f"== heavy suite {suite.name} begins", flush=True)
    with tempfile.TemporaryFile(buffering=0) as output:
        code = _tried(suite, output)
        output.seek(0)
        with _PRINTING:
            print(f"\n== heavy suite {suite.name}", flush=True)
            shutil.copyfileobj(output, sys.stdout.buffer)
            sys.stdout.flush()
    return code


def _tried(suite: Suite, output: IO[bytes]) -> int:
    """In continuous integration what failed has a second try."""
    line = [sys.executable, "-m", "pytest", "-m", suite.marker, *suite.files]
    line += ["-o", f"cache_dir=.pytest_cache/heavy/{suite.name}"]  # knows what failed of it alone
    start = functools.partial(subprocess.run, cwd=ROOT, check=False, stdout=output, stderr=output)
    code = start(line).returncode
    if code != 1 or not os.environ.get("CI"):
        return code
    output.write(b"== once more what failed; what passes now is unsteady, and wants mending\n")
    return start([*line, "--last-failed", "--last-failed-no-failures", "none", "-v"]).returncode


def run(
    suites: Sequence[Suite], until: float | None, jobs: int, one: Callable[[Suite], int] = _pytest
) -> int:
    """Run suites in their order, `jobs` at a time; 0 when every one that began passed."""
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(lambda suite: _result(suite, until, one), suites))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"\nheavy suites, {_minutes(used.ru_utime + used.ru_stime)} of CPU time:")
    print("\n".join(f"  {line}" for _, line in filter(None, results)))
    missed = [suite.name for suite, result in zip(suites, results, strict=True) if not result]
    print(_not_reached(missed) if missed else "every suite was reached", flush=True)
    return 1 if any(code for code, _ in filter(None, results)) else 0


def _result(
    suite: Suite, until: float | None, one: Callable[[Suite], int]
) -> tuple[int, str] | None:
    """Its exit status and what to say of it; None when it is too late to begin."""
    if until is not None and time.time() > until:
        return None
    began = time.monotonic()
    code = one(suite)
    passed = "passed" if code == 0 else f"FAILED (pytest exit {code})"
    return code, f"{suite.name:<15} {passed} in {_minutes(time.monotonic() - began)}"


def _not_reached(missed: Sequence[str]) -> str:
    return "not reached, for lack of time: " + ", ".join(missed)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


if __name__ == "__main__":
    sys.exit(main())
