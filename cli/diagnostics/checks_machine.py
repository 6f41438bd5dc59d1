"""`tickhouse doctor`: is this machine fit to run Tickhouse? Nothing here needs a running stack."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cli.diagnostics.check import Check, result_of
from core.shipped import IN_CHECKOUT

_GIB = 2**30
_PYTHONS = {(3, 11), (3, 12)}
_GLIBC = (2, 31)  # what bytewax's wheel is built for
_OPEN_FILES = 4096
_BUILT_AFTER = 1_762_300_000  # epoch seconds; no clock that is right is before this
_SET_UP = (
    "run `make demo` (or `make test`) in the checkout: it installs what is missing"
    if IN_CHECKOUT
    else "install the wheel again, with its extra main or server"
)

#: What each part of the product imports; a missing one is named with its part.
_MODULES = {
    "bus": ("nats",),
    "terminal": ("pyarrow",),
    "warehouse": ("chdb", "uvicorn", "clickhouse_connect", "lz4", "zstandard"),
    "streams": ("bytewax", "numba", "onnxruntime"),
    "training": ("xgboost", "onnxmltools", "onnx", "sklearn"),
    "supervision": ("supervisor",),
}


def machine_checks(home: Path) -> Iterator[Check]:
    """Every check, cheapest first."""
    yield python_version(sys.version_info[:2])
    yield packages()
    yield glibc(*platform.libc_ver())
    yield disk_space(home)
    yield home_writable(home)
    yield from open_files()
    yield clock(time.time())
    yield from clock_synchronised()
    yield nats_server(Path(sysconfig.get_path("scripts")) / "nats-server")
    yield chdb_loads()
    yield lightgbm_loads()


def python_version(version: tuple[int, ...]) -> Check:
    """3.11 or 3.12."""
    return result_of(
        "Python",
        version in _PYTHONS,
        f"{version[0]}.{version[1]}",
        "install Python 3.12 or 3.11 and set up again: bytewax has no other wheels",
        "failed",
    )


def packages() -> Check:
    """Every package of every part is there."""
    missing = [
        f"{module} ({part})"
        for part, modules in _MODULES.items()
        for module in modules
        if importlib.util.find_spec(module) is None
    ]
    state = f"missing: {', '.join(missing)}" if missing else "all there"
    return result_of("packages", not missing, state, _SET_UP, "failed")


def glibc(name: str, version: str) -> Check:
    """Wheels are built against glibc 2.31; not every Linux has it."""
    if not sys.platform.startswith("linux"):
        return Check("C library", "ok", f"{platform.system()}: nothing to check")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return result_of(
        "C library",
        name == "glibc" and numbers >= _GLIBC,
        f"{name} {version}".strip() or "not glibc",
        "use a distribution with glibc 2.31 or newer (Debian 11, Ubuntu 20.04, RHEL 9 and later)",
        "failed",
    )


def disk_space(home: Path) -> Check:
    """A day of five busy symbols takes about 0.1 GiB; ClickHouse needs room to merge."""
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free / _GIB
    return result_of(
        "disk space",
        free >= 5,
        f"{free:.1f} GiB free in {folder}",
        "free some space, or set TICKHOUSE_HOME to a larger disk",
        "warning" if free >= 1 else "failed",
    )


def home_writable(home: Path) -> Check:
    """Files can be made and synced in the home (or in the folder it will be made in)."""
    folder = next(path for path in (home, *home.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"tickhouse doctor")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = "make it writable for you, or set TICKHOUSE_HOME to a folder that is"
        return Check("home", "failed", f"{folder}: {error.strerror}", remedy)
    return Check("home", "ok", str(home))


def open_files() -> Iterator[Check]:
    """The warehouse keeps many files open. The supervisor raises the limit as far as allowed."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    yield result_of(
        "open files",
        unlimited or hard >= _OPEN_FILES,
        "unlimited" if unlimited else str(hard),
        f"raise the hard limit to {_OPEN_FILES} or more (ulimit -Hn, or limits.conf)",
        "warning",
    )


def clock(now: float) -> Check:
    """A clock before this program was written is wrong, and every tick would be in its future."""
    return result_of(
        "clock",
        now > _BUILT_AFTER,
        time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)),
        "set the machine's clock: ticks are refused as being in the future",
        "failed",
    )


def clock_synchronised() -> Iterator[Check]:
    """Ages and latencies are only as good as the clock; asked of systemd where there is one."""
    answer = _run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if answer in ("yes", "no"):
        remedy = "switch on time synchronisation: timedatectl set-ntp true"
        yield result_of("clock is synchronised", answer == "yes", answer, remedy, "warning")


def nats_server(path: Path) -> Check:
    """The bus's program runs on this machine."""
    answer = _run([str(path), "--version"])
    return result_of(
        "nats-server", bool(answer), answer or f"{path} does not run", _SET_UP, "failed"
    )


def chdb_loads() -> Check:
    """The warehouse's engine runs on this processor; in a process of its own, as it may crash."""
    answer = _run([sys.executable, "-c", "import chdb; print(chdb.query('SELECT version()'))"])
    return result_of(
        "ClickHouse engine",
        bool(answer),
        answer.strip('"') or "chdb does not load",
        f"{_SET_UP}; it needs x86-64 with SSE 4.2, or ARM64. Or set TICKHOUSE_CLICKHOUSE__URL"
        " to a ClickHouse server",
        "failed",
    )


def lightgbm_loads() -> Check:
    """A member of the ensemble needs the system's OpenMP; without it the others are trained."""
    answer = _run([sys.executable, "-c", "import lightgbm; print(lightgbm.__version__)"])
    return result_of(
        "LightGBM",
        bool(answer),
        answer or "does not load: models are trained without this member",
        "install the system package libgomp1 (apt) or libgomp (dnf); on macOS libomp",
        "warning",
    )


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
