"""The product without a clone: the wheel holds all of it, installs by one command, and runs."""

import os
import signal
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running_stack import healthy
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
_SOURCES = "dashboards/live/front/"  # of the page's script, which is what ships
_LEFT_OUT = {".sqlfluff"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Of a person with an empty folder: the index and the cache, and nothing of this checkout."""
    return {
        **{k: os.environ[k] for k in ("SSL_CERT_FILE", "HTTPS_PROXY", "LANG") if k in os.environ},
        **{k: v for k, v in os.environ.items() if k.startswith(("UV_", "PIP_"))},
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": _said(str(UV), "cache", "dir"),
        "UV_SYSTEM_CERTS": "1",
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        **_index(),
    }


def _said(*line: str) -> str:
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()


def _index() -> dict[str, str]:
    """As scripts/set-up: uv does not know pip's."""
    known = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL")
    index = known or _said(sys.executable, "-m", "pip", "config", "get", "global.index-url")
    return {"UV_DEFAULT_INDEX": index} if index else {}


def _shipped() -> Iterator[str]:
    """Every file of the packages, as a checkout names it."""
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for package in configured["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        for path in (ROOT / package).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            left_out = path.suffix in _LEFT_OUT or "__pycache__" in name or _SOURCES in name
            if path.is_file() and not left_out:
                yield name


def test_the_wheel_holds_every_file_that_the_packages_need(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert set(_shipped()) <= names
    inside = "tickhouse/shipped/"
    dbt = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dbt").rglob("*.sql")}
    assert {inside + name for name in dbt} <= names
    assert inside + "docs/how-to/runbooks.md" in names
    assert not [name for name in names if name.startswith(("dbt/", "tests/", _SOURCES))]


@pytest.mark.heavy(suite="docs")
@pytest.mark.process
def test_an_empty_folder_becomes_a_running_stack(
    wheel: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    subprocess.run(
        [
            *(str(UV), "tool", "install", "--python", sys.executable),
            *("--constraints", str(ROOT / "requirements" / "server.txt"), f"{wheel}[main]"),
        ],
        env=environ, cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    empty = tmp_path / "empty"
    empty.mkdir()
    with (empty / "up.log").open("wb") as log:
        up = subprocess.Popen(
            ["tickhouse", "up", "--bare"], env=environ, cwd=empty, stdout=log, stderr=log
        )
    try:
        status = healthy({"TICKHOUSE_HOME": str(empty / ".tickhouse")}, up)
        assert "board" in status.processes
        answer = subprocess.run(
            ["tickhouse", "sql", "SELECT count() > 0 AS here FROM bar"],
            env=environ, cwd=empty, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "here" in answer.stdout
        remedy = "install the wheel with its extra server"
        until(lambda: remedy in (empty / "up.log").read_text(), running=up)
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(120) == 0, (empty / "up.log").read_text()
    assert "Nothing is left running" in (empty / "up.log").read_text()


@pytest.mark.heavy(suite="docs")
@pytest.mark.parametrize(
    ("platform", "extra"),
    [
        ("x86_64-pc-windows-msvc", "edge"),  # beside a terminal; the rest runs under WSL
        ("aarch64-apple-darwin", "server"),
        ("x86_64-manylinux_2_31", "server"),
        ("aarch64-manylinux_2_31", "server"),
    ],
)
def test_every_requirement_has_a_wheel_there(
    platform: str, extra: str, environ: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            *(str(UV), "pip", "compile", str(ROOT / "pyproject.toml"), "--quiet"),
            *("--python-version", "3.12", "--python-platform", platform, "--only-binary", ":all:"),
            *("--extra", extra, "-c", str(ROOT / "requirements" / "server.txt")),
            *("-o", str(tmp_path / "resolved.txt")),
        ],
        env={**environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
