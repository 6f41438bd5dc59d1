"""docs/architecture.md walks through files and names that exist; the glossary is in order."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WALK = (ROOT / "docs" / "architecture.md").read_text()


def test_every_file_of_the_walk_is_there() -> None:
    files = re.findall(r"`([\w./]+\.(?:py|sql|toml))`", WALK)
    assert len(files) > 60
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_every_name_stands_in_the_file_that_the_walk_gives_for_it() -> None:
    named = re.findall(r"`([\w.]+)`\s+in\s+`([\w/]+\.py)`", WALK)
    assert len(named) > 20
    absent = [
        f"{name} in {file}"
        for name, file in named
        for part in name.split(".")
        if not re.search(rf"\b(?:def|class) {part}\b", (ROOT / file).read_text())
    ]
    assert absent == []


def test_the_glossary_is_alphabetical_with_one_line_each() -> None:
    lines = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    words = [line.split("|")[1].strip() for line in lines if line.startswith("| ")][2:]
    order = [re.sub("[^a-z ]", "", word.lower().replace("-", " ")) for word in words]
    assert len(words) > 60
    assert order == sorted(order)
