"""Apache Kafka from Maven Central, through whatever mirror the machine's Maven is set up with.

The files are kept per user, not per checkout, and compared with `jars.sha256` whenever a broker is
started: forty files are read in 0.1 s, and a changed one is never run.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from core.file_lock import locked

_HERE = Path(__file__).parent
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
REQUIRED = "REQUIRE_KAFKA"  # set by `.ci/run`: then absence fails instead of skipping


class NoKafkaError(Exception):
    """There is no broker to be had here; the text says what is missing."""


def classpath() -> str:
    """The broker's class path; fetched first if it is not here yet.

    Raises:
        NoKafkaError: Java or Maven is missing, or what came is not what it must be.
    """
    if shutil.which("java") is None:
        raise NoKafkaError("no java on PATH: scripts/system-packages installs a JDK and Maven")
    folder = _cache() / f"kafka-{_digest(_HERE / 'pom.xml')[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock"), timeout_s=600.0):
        if not folder.is_dir():
            _fetch(folder)
    _check(folder)
    return f"{folder}/*"


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tickhouse"


def _fetch(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise NoKafkaError("no mvn on PATH: scripts/system-packages installs a JDK and Maven")
    arriving = folder.with_suffix(".new")
    shutil.rmtree(arriving, ignore_errors=True)
    line = ["mvn", "-q", "-B", "-f", str(_HERE / "pom.xml"), _PLUGIN]
    done = subprocess.run(
        [*line, f"-DoutputDirectory={arriving}", "-DincludeScope=runtime"],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise NoKafkaError(f"Maven did not fetch Kafka: {(done.stdout + done.stderr)[-800:]}")
    _check(arriving)
    arriving.rename(folder)


def _check(folder: Path) -> None:
    lines = (_HERE / "jars.sha256").read_text().splitlines()
    wanted = {name: digest for digest, name in (line.split() for line in lines)}
    digests = {path.name: _digest(path) for path in folder.glob("*.jar")}
    if digests != wanted:
        wrong = sorted(n for n in wanted.keys() | digests.keys() if wanted.get(n) != digests.get(n))
        raise NoKafkaError(f"not what jars.sha256 says: {', '.join(wrong)}; remove {folder}")


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
