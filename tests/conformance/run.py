"""`make conformance SRC=DIR`: other people's own integration suites against the embedded warehouse.

DIR holds checkouts of clickhouse-connect and dbt-clickhouse, each as its project ships it. Every
suite gets a copy of its checkout, an environment of its own and a fresh server, all thrown away.
A failure that `known.toml` does not explain makes the run fail.
"""

import argparse
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from core import identity

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
UV = Path(sys.executable).with_name("uv")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?::.+?)(?: - .*)?$", re.MULTILINE)
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|error)")


@dataclass(frozen=True)
class Suite:
    """One project's tests. `environ` maps names to values with {port} filled in, and {user} and
    {password} of an admin: these suites make databases, and change and drop what they like. Theirs
    is the one name that the engine itself knows: dictionaries and definers of views ask for it.
    """

    name: str
    install: tuple[str, ...]
    options: tuple[str, ...]
    environ: dict[str, str]
    over: tuple[str, ...] = ()  # installed over what `install` pinned


SUITES = (
    Suite(
        "clickhouse-connect",
        ("-r", "tests/test_requirements.txt", "-e", ".", "pandas<3"),
        ("-o", "log_cli=false", "-n", "2"),
        {
            "CLICKHOUSE_CONNECT_TEST_HOST": "127.0.0.1",
            "CLICKHOUSE_CONNECT_TEST_PORT": "{port}",
            "CLICKHOUSE_CONNECT_TEST_USER": "{user}",
            "CLICKHOUSE_CONNECT_TEST_PASSWORD": "{password}",
        },
        # The project pins numpy 1.26, with which today's pyarrow does not load: 26 tests skipped.
        ("numpy>=2", "brotli", "zstandard"),
    ),
    Suite(
        "dbt-clickhouse",
        ("-e", ".", "-r", "dev_requirements.txt", "pytest-xdist"),
        ("-p", "without_sql_users", "-n", "2"),
        {
            "DBT_CH_TEST_HOST": "127.0.0.1",
            "DBT_CH_TEST_PORT": "{port}",
            "DBT_CH_TEST_USER": "{user}",
            "DBT_CH_TEST_PASSWORD": "{password}",
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": str(HERE),
        },
    ),
)


def main() -> int:
    """Run every suite. Returns 1 if a failure has no explanation."""
    parser = argparse.ArgumentParser(prog="make conformance SRC=DIR", description=__doc__)
    parser.add_argument("source", type=Path, help="folder of the checkouts")
    source = parser.parse_args().source.resolve()
    return max(_conform(suite, source / suite.name) for suite in SUITES)


def _conform(suite: Suite, checkout: Path) -> int:
    if not (checkout / "tests").is_dir():
        print(f"{suite.name}: no checkout in {checkout}: clone it there", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / suite.name
        shutil.copytree(checkout, copy, symlinks=True)
        output = _run(suite, copy, Path(scratch))
    return _judge(suite, output)


def _run(suite: Suite, copy: Path, scratch: Path) -> str:
    python = scratch / "venv" / "bin" / "python"
    subprocess.run([UV, "venv", "-q", "-p", sys.executable, scratch / "venv"], check=True)
    install = [UV, "pip", "install", "-q", "-p", python, *suite.install]
    subprocess.run(install, cwd=copy, check=True)
    if suite.over:
        subprocess.run([*install[:6], *suite.over], check=True)
    home, password = scratch / "home", secrets.token_urlsafe()
    home.mkdir(mode=0o700)
    owner = identity.new_user("default", "admin", password)
    identity.save(identity.path_in(home), {owner.name: owner})
    server, port = _serve(home)
    known = {"port": port, "user": owner.name, "password": password}
    environ = {name: value.format(**known) for name, value in suite.environ.items()}
    tests = (
        "tests/integration_tests"
        if (copy / "tests/integration_tests").is_dir()
        else ("tests/integration")
    )
    line = [python, "-m", "pytest", tests, "-q", "--tb=native", "-rfEs", *suite.options]
    try:
        done = subprocess.run(
            line, cwd=copy, env=os.environ | environ, capture_output=True, text=True, check=False
        )
    finally:
        server.terminate()
        server.wait(timeout=60)
    log = Path(tempfile.gettempdir()) / f"conformance-{suite.name}.log"
    log.write_text(done.stdout + done.stderr)
    print(f"{suite.name}: all output in {log}")
    return done.stdout + done.stderr


def _serve(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    line = [sys.executable, "-m", "warehouse", "--home", str(home)]
    server = subprocess.Popen([*line, "--port", "0"], cwd=ROOT)
    url = home / "run" / "warehouse.url"
    while not (url.exists() and url.read_text()):
        if server.poll() is not None:
            raise SystemExit("the warehouse ended before it was ready")
        time.sleep(0.05)
    return server, url.read_text().rpartition(":")[2]


def _judge(suite: Suite, output: str) -> int:
    counts = {word: int(number) for number, word in _COUNT.findall(output.splitlines()[-1])}
    known = tomllib.loads((HERE / "known.toml").read_text())[suite.name]
    failed = _FAILED.findall(output)
    new = [
        test
        for test in failed
        if not any(part in test for group in known for part in group["tests"])
    ]
    print(f"{suite.name}: {counts}; {len(failed) - len(new)} failures are explained in known.toml")
    for test in new:
        print(f"  not explained: {test}")
    if not counts.get("passed"):
        print(output[-3000:])
        return 1
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
