"""Documentation that repeats the code is made from it, and what it names exists."""

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest

from cli.main import COMMANDS
from core.contracts.order import DenialReason
from core.settings import Settings
from docs import generate

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_CODE = re.compile(r"```[\s\S]*?```|`[^`\n]+`|^ {4}.*$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SOURCE = re.compile(r"\b(?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|sql|toml|md)\b")
_VARIABLE = re.compile(r"\bTICKHOUSE_([A-Z]+)__([A-Z_]+)\b")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def code_in(page: Path) -> str:
    """What a page sets as code: spans, fenced and indented blocks."""
    return "\n".join(_CODE.findall(page.read_text()))


@pytest.mark.parametrize("name", generate.PAGES)
def test_reference_page_is_what_the_generator_writes(name: str) -> None:
    written = (generate.DIRECTORY / name).read_text()
    assert written == generate.PAGES[name](), "run: python -m docs.generate"


def test_every_setting_is_explained() -> None:
    assert [line for line in generate.settings_page().splitlines() if line.endswith("|  |")] == []


def test_every_reason_to_deny_is_explained() -> None:
    assert set(generate.DENIED) == set(DenialReason)


@each_page
def test_commands_named_exist(page: Path) -> None:
    known = {name for name, command in COMMANDS.items() if find_spec(command.module)}
    assert set(re.findall(r"\btickhouse ([a-z]+(?:-[a-z]+)*)\b", code_in(page))) - known == set()


@each_page
def test_make_targets_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", code_in(page))) - targets == set()


@each_page
def test_modules_named_exist(page: Path) -> None:
    tools = {"pytest", "pip"}
    named = set(re.findall(r"\bpython -m ([a-z_.0-9]+[a-z])", code_in(page))) - tools
    assert [module for module in sorted(named) if find_spec(module) is None] == []


@each_page
def test_settings_named_exist(page: Path) -> None:
    sections = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    unknown = [
        f"{section}__{name}"
        for section, name in _VARIABLE.findall(page.read_text())
        if section.lower() not in sections
        or name.removesuffix("_FILE").lower() not in sections[section.lower()].__struct_fields__
    ]
    assert unknown == []


@each_page
def test_source_files_named_exist(page: Path) -> None:
    named = set(_SOURCE.findall(code_in(page)))
    places = (ROOT, page.parent, ROOT / "docs")
    assert [n for n in sorted(named) if not any((p / n).exists() for p in places)] == []


@each_page
def test_links_between_files_resolve(page: Path) -> None:
    links = [link.partition("#")[0] for link in _LINK.findall(page.read_text())]
    local = [unquote(link) for link in links if link and "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("folder", ["docs/adr", "docs/compliance"])
def test_an_index_names_every_page_beside_it(folder: str) -> None:
    index = (ROOT / folder / "README.md").read_text()
    beside = {page.name for page in (ROOT / folder).glob("*.md")} - {"README.md"}
    assert {name for name in beside if f"({name})" not in index} == set()


def test_the_front_page_leads_to_every_how_to() -> None:
    """By one link or two: some stand on another's page."""
    front = (ROOT / "README.md").read_text()
    pages = {page.name: page.read_text() for page in (ROOT / "docs" / "how-to").glob("*.md")}
    near = {name for name in pages if f"how-to/{name}" in front}
    second = {name for name in pages if any(f"({name}" in pages[other] for other in near)}
    assert set(pages) - near - second == set()
