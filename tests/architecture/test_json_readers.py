"""Who expects damaged JSON expects bytes that are no text, too: msgspec lets that error through."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.warehouse_server import ROOT

ROOMS = (
    "adapters", "api", "assistant", "audit", "backtest", "bot", "cli", "core", "dashboards",
    "execution", "models", "orchestration", "quality", "questions", "reports", "strategies",
    "streams", "surveillance", "warehouse",
)  # fmt: skip
_COVERED = ("UnicodeDecodeError", "ValueError", "Exception")


def unguarded(source: str) -> Iterator[int]:
    """Lines of `try` around msgspec.json.decode that expect msgspec's own error alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Try) and any(
            "msgspec.json.decode(" in ast.unparse(statement) for statement in node.body
        ):
            caught = " ".join(ast.unparse(h.type) for h in node.handlers if h.type)
            if "DecodeError" in caught and not any(name in caught for name in _COVERED):
                yield node.lineno


@pytest.mark.parametrize("room", ROOMS)
def test_bytes_that_are_no_text_are_damage_like_any_other(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    assert {
        f"{path.relative_to(ROOT)}:{line}": "read it through core.checked_json, or expect it"
        for path in files
        for line in unguarded(path.read_text())
    } == {}


def test_the_rule_sees_what_it_is_about() -> None:
    body = "try:\n    x = msgspec.json.decode(b'')\nexcept {}:\n    pass\n"
    assert list(unguarded(body.format("msgspec.DecodeError"))) == [1]
    assert list(unguarded(body.format("(msgspec.DecodeError, UnicodeDecodeError)"))) == []
