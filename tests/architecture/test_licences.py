"""Every dependency's licence is on the list: a new one is a decision and not an accident."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = tomllib.loads((ROOT / "tests" / "architecture" / "licences.toml").read_text("utf-8"))
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==", re.MULTILINE)
_BETWEEN = re.compile(r"; | AND | OR ")


def shipped() -> set[str]:
    """Names of all that the product installs, tests' tools left out."""
    locks = [(ROOT / "requirements" / f"{name}.txt").read_text() for name in ("main", "server")]
    return {n.lower().replace("_", "-") for lock in locks for n in _PINNED.findall(lock)}


def licences(name: str) -> list[str]:
    """What a distribution says of its licence; empty when it says nothing."""
    said = importlib.metadata.metadata(name)
    given = said.get("License-Expression") or "; ".join(
        line.rpartition(" :: ")[2]
        for line in said.get_all("Classifier") or []
        if line.startswith("License :: OSI Approved :: ")
    )
    first_line = (said.get("License") or "").split("\n")[0]
    if (given or first_line) in LIST["allowed"]:
        return [given or first_line]
    expression = said.get("License-Expression")
    parts = _BETWEEN.split(given or first_line)
    return [part.strip("()") if expression else part for part in parts if part]


def test_every_dependency_has_a_licence_of_the_list() -> None:
    odd = {}
    for name in sorted(shipped() - LIST["exceptions"].keys() - LIST["elsewhere"].keys()):
        said = licences(name)
        if not said or not set(said) <= set(LIST["allowed"]):
            odd[name] = said
    assert odd == {}, "look at the licence, then add it to tests/architecture/licences.toml"


def test_what_builds_the_site_is_listed_with_its_licence() -> None:
    lock = (ROOT / "requirements" / "docs.txt").read_text()
    assert LIST["documentation"].keys() == {name.lower() for name in _PINNED.findall(lock)}
    said = {part for one in LIST["documentation"].values() for part in _BETWEEN.split(one)}
    assert said <= {*LIST["allowed"], "ISC"}


def test_no_exception_outlives_its_package() -> None:
    assert LIST["exceptions"].keys() <= shipped()
