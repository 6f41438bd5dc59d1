"""The public contract: what people's scripts may rely on, one line a name, a file per release.

`make contract` writes docs/contracts/<version>.txt: tables and views with columns and types as a
fresh warehouse has them, marts, topics with their messages, commands with their options, the keys
of `replay --json`, the names of the public package. A test compares today's with the last release.

Nothing leaves without notice: a name is written into docs/contracts/leaving.txt with the version
that announces it, stays (a table or column as a view) for two minor versions, and then may go.
"""

import argparse
import ast
import importlib
import inspect
import re
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import tickhouse
from adapters.clickhouse import client, migrate
from cli.main import COMMANDS
from cli.replay import result
from core import credentials, topics
from core.contracts import codec
from core.home_users import OWNER, sign_in
from core.sections import ClickhouseSettings
from docs import schema
from features.catalog import NAMES
from quality import reconcile
from warehouse import occasion

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "contracts"
NOTICE_MINORS = 2
_COLUMNS = """
SELECT c.table, c.name, c.type FROM system.columns AS c
INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = 'tickhouse'
    AND t.engine NOT IN ('MaterializedView', 'AggregatingMergeTree')
    AND t.name NOT IN {private:Array(String)}
"""
#: What only our own processes read: applied migrations, a kernel's memory, what views are made of.
_PRIVATE = ["schema_migration", "kernel_state", "strategy_state", "lineage_cut"]

Version = tuple[int, int, int]


def main() -> int:
    """Write the contract of the version in pyproject.toml; refuse to take away from one there."""
    version, now = product_version(), items()
    path = FOLDER / f"{version}.txt"
    if path.exists() and (gone := read(path) - now):
        print(f"{path.relative_to(ROOT)} promised what is gone:", *sorted(gone), sep="\n  ")
        return 1
    FOLDER.mkdir(exist_ok=True)
    path.write_text("".join(f"{item}\n" for item in sorted(now)))
    print(f"wrote {path.relative_to(ROOT)}: {len(now)} names")
    return 0


def product_version() -> str:
    """The version in pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text()
    return str(tomllib.loads(text)["project"]["version"])


def read(path: Path) -> set[str]:
    """The names of a contract."""
    return set(path.read_text().splitlines())


def releases(folder: Path = FOLDER) -> dict[Version, Path]:
    """Contracts by version, the oldest first."""
    named = {path.stem: path for path in folder.glob("*.txt") if path.stem[0].isdigit()}
    return dict(sorted((parsed(name), path) for name, path in named.items()))


def parsed(version: str) -> Version:
    """The numbers of "0.2.0", to compare."""
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def announced(folder: Path = FOLDER) -> dict[str, Version]:
    """Names that will leave, and the version that said so: lines `VERSION NAME`."""
    path = folder / "leaving.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    leaving = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {name: parsed(version) for version, _, name in leaving}


def broken(
    now: Collection[str], promised: Collection[str], leaving: dict[str, Version], version: Version
) -> list[str]:
    """Promised names that are gone before their time.

    Args:
        now: today's names.
        promised: those of the last release.
        leaving: `announced`.
        version: of the product, today.
    """
    return sorted(
        name
        for name in set(promised) - set(now)
        if name not in leaving or not _in_time(leaving[name], version)
    )


def _in_time(announced_in: Version, version: Version) -> bool:
    if announced_in[0] != version[0]:
        return announced_in[0] < version[0]
    return version[1] - announced_in[1] >= NOTICE_MINORS


def items() -> set[str]:
    """Every public name of today's product, one line each."""
    parts: tuple[Callable[[], Iterator[str]], ...] = (_tables, _views, _marts, _topics, _commands)
    names = {line for part in parts for line in part()}
    return names | {f"json replay {key}" for key in _replay_keys()} | set(_python())


def _tables() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, occasion.started(Path(folder)) as url:
        directory = str(credentials.directory_of(Path(folder)))
        owner = client.connect(sign_in(ClickhouseSettings(url=url, credentials=directory), OWNER))
        migrate.apply(owner, NAMES)
        rows = owner.query(_COLUMNS, {"private": _PRIVATE}).result_rows
        owner.close()
    yield from (f"table {table} {column} {kind}" for table, column, kind in rows)


def _views() -> Iterator[str]:
    """Views with parameters: the engine lists no columns of theirs."""
    for view in schema.tables():
        for parameter in re.findall(r"`(\w+)`", view.description.partition("Parameters: ")[2]):
            yield f"view {view.name}({parameter})"


def _marts() -> Iterator[str]:
    for mart in schema.marts():
        if not mart.name.startswith("int_"):
            yield from (
                f"mart {mart.name} {name.strip('`')} {kind.strip('`')}"
                for name, kind, _ in mart.columns
            )


def _topics() -> Iterator[str]:
    for topic in topics.ALL:
        yield f"topic {topic.name}"
        if topic.name in codec._decoders:
            decoder: Any = codec._decoders[topic.name]
            for kind in getattr(decoder.type, "__args__", (decoder.type,)):
                yield f"topic {topic.name} {kind.__struct_config__.tag}"


def _commands() -> Iterator[str]:
    for name, command in COMMANDS.items():
        parser = argparse.ArgumentParser()
        importlib.import_module(command.module).add_arguments(parser)
        yield from _of_parser(f"command {name}", parser)


def _of_parser(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield name
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from _of_parser(f"{name} {word}", inner)
        yield from (f"{name} {o}" for o in action.option_strings if o not in ("-h", "--help"))


def _replay_keys() -> Iterator[str]:
    """Keys of the objects that make the answer, by the functions' own text."""
    for function in (result.build, reconcile.totals):
        for node in ast.walk(ast.parse(inspect.getsource(function))):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
                for key in node.value.keys:
                    if isinstance(key, ast.Constant):
                        yield str(key.value)


def _python() -> Iterator[str]:
    yield from (f"python {name}" for name in tickhouse.__all__)
    for kind in (tickhouse.Connection, tickhouse.Result):
        own = (name for name in vars(kind) if not name.startswith("_"))
        yield from (f"python {kind.__name__}.{name}" for name in own)


if __name__ == "__main__":
    sys.exit(main())
