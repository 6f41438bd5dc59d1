"""Rules of the layout that import-linter cannot say."""

import ast
import math
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "core", "adapters", "features", "models", "strategies", "streams", "execution", "backtest",
    "cli", "warehouse", "audit", "surveillance", "tickhouse", "charts", "risk", "bot", "assistant",
    "api",
    "questions",
)  # fmt: skip
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]

#: What neither execution nor the collector may need: both run next to a terminal.
HEAVY = (
    "bytewax",
    "chdb",
    "clickhouse_connect",
    "numba",
    "onnx",
    "onnxruntime",
    "pandas",
    "sklearn",
    "supervisor",
    "xgboost",
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_packages_hold_no_code_so_that_one_import_drags_no_neighbour() -> None:
    """But the public package's, which is what people import: a list of names."""
    full = [name_of(p) for p in SOURCES if p.name == "__init__.py" and p.read_text()]
    assert full == ["tickhouse/__init__.py"]


def test_there_is_no_drawer() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert [name_of(p) for p in SOURCES if p.stem in drawers or p.parent.name in drawers] == []


def test_one_module_locks_files() -> None:
    lockers = [name_of(p) for p in SOURCES if re.search(r"import (fcntl|msvcrt)", p.read_text())]
    assert lockers == ["core/file_lock.py"]


def long_sql(text: str) -> list[int]:
    """Lines on which a literal begins that is SQL and longer than eight lines."""
    begins = re.compile(r"\b(SELECT|INSERT INTO|CREATE (TABLE|VIEW)|ALTER TABLE|WITH \w+ AS)\b")
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.JoinedStr | ast.Constant)
        and (node.end_lineno or 0) - node.lineno >= 8
        and begins.search(ast.get_source_segment(text, node) or "")
    ]


def test_sql_of_more_than_eight_lines_is_in_a_file_of_its_own() -> None:
    rooms = set(OTHER_ROOMS) - {"tests", "docs", "examples"}
    paths = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    long = [f"{name_of(path)}:{line}" for path in paths for line in long_sql(path.read_text())]
    assert long == []


def test_settings_alone_read_the_environment() -> None:
    """The command line may: it passes the environment on to the processes it starts."""
    readers = [
        name_of(path)
        for path in SOURCES
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    ]
    strangers = [r for r in readers if not r.startswith("cli/") and r != "core/settings.py"]
    assert strangers == []


def test_nothing_reads_the_clock_or_random_state_at_import() -> None:
    """Module level statements are definitions; what they call decides every later run."""
    calls = {"time.time", "time.time_ns", "datetime.now", "random.random", "uuid.uuid4"}
    offenders = [
        f"{name_of(path)}:{node.lineno}"
        for path in SOURCES
        for statement in ast.parse(path.read_text()).body
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in calls
    ]
    assert offenders == []


def light_modules() -> list[str]:
    paths = [*(ROOT / "execution").rglob("*.py"), ROOT / "streams" / "collector.py"]
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(paths)
        if path.exists() and path.name != "__main__.py"
    ]


#: Imports each by itself, so far as it can: importing None is an ImportError, and what failed is
#: not kept, so a second module that needs it fails for itself.
IMPORTS = """
import importlib, sys, traceback
heavy, modules = (words.split(",") for words in sys.argv[1:])
sys.modules.update(dict.fromkeys(heavy))
for module in modules:
    try:
        importlib.import_module(module)
    except ImportError:
        print(module, traceback.format_exc(limit=-3))
"""


def test_what_runs_next_to_a_terminal_imports_without_the_platform() -> None:
    modules = light_modules()
    assert len(modules) > 50
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, ",".join(HEAVY), ",".join(modules)],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


#: What the extra `main` does not install; `make demo` and `tickhouse up` run without.
ELSEWHERE = (
    "apprise", "dagster", "dbt", "docx", "lxml", "mcp", "pypdfium2", "stdnum", "telegram", "typst",
)  # fmt: skip
PROCESSES = (
    "dashboards.live.__main__", "surveillance.__main__", "execution.__main__", "cli.main",
    "cli.commands.up", "cli.commands.demo", "cli.commands.ask", "cli.commands.clients",
)  # fmt: skip


def test_what_up_and_demo_run_imports_with_the_main_packages_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, ",".join(ELSEWHERE), ",".join(PROCESSES)],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


#: They tell what happened, not what a thing is.
NO_NAMES = {"look", "see", "told", "found", "asked", "made"}
OTHER_ROOMS = (
    "reports", "quality", "dashboards", "orchestration", "benchmarks", "containers", "dbt", "docs",
    "examples", "scripts", "tests",
)  # fmt: skip
TREE = sorted(
    path
    for room in (*PACKAGES, *OTHER_ROOMS)
    for path in (ROOT / room).rglob("*.py")
    if "node_modules" not in path.parts
)


#: A kernel that is called for every batch: there a name at each argument costs more than it helps.
COMPILED = ("models/serving/predictor.py", "combine")


def parameters(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> float:
    """How many values it takes, each of a name of its own; infinite: all of one kind."""
    if isinstance(node, ast.ClassDef):
        made_by = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        return parameters(made_by[0]) if made_by else sys.maxsize
    return math.inf if node.args.vararg else len(node.args.posonlyargs + node.args.args)


def test_of_eight_and_more_values_each_is_written_with_its_name() -> None:
    """Of values side by side nobody sees which two were exchanged. What is called by a name that
    something else of ours has too, which takes any number, or fewer, is let pass."""
    takes: dict[str, float] = {"__init__": sys.maxsize}
    calls: list[tuple[str, str, int, int]] = []
    for path in TREE:
        strangers = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                takes[node.name] = max(takes.get(node.name, 0), parameters(node))
            elif isinstance(node, ast.ImportFrom) and node.module == "rich.table":
                strangers = {"Table"}
            elif isinstance(node, ast.Call) and len(node.args) >= 8:
                name = ast.unparse(node.func).rpartition(".")[2]
                calls += [(name_of(path), name, node.lineno, len(node.args))]
        calls = [c for c in calls if c[0] != name_of(path) or c[1] not in strangers]
    unnamed = [
        f"{file}:{line}"
        for file, name, line, count in calls
        if count <= takes.get(name, 0) < math.inf and (file, name) != COMPILED
    ]
    assert unnamed == []


def bound(node: ast.AST) -> str:
    """The name that a node binds; empty when it binds none."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case ast.ClassDef(name=name):
            return name
        case ast.alias(asname=name) | ast.ExceptHandler(name=name) | ast.MatchAs(name=name):
            return name or ""
        case _:
            return ""


def test_things_are_named_by_what_they_are() -> None:
    """Fields of stored facts and of the doctor's checks keep the names that others read."""
    fields = {("cli/diagnostics/check.py", "found"), ("streams/explain/facts.py", "asked")}
    named = {
        (name_of(path), bound(node))
        for path in TREE
        if any(name in (text := path.read_text()).lower() for name in NO_NAMES)
        for node in ast.walk(ast.parse(text))
        if bound(node).strip("_").lower() in NO_NAMES
    }
    assert named == fields
