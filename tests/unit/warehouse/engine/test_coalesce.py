"""Which inserts may share a statement, and what each of them is told."""

import asyncio

import pytest

from core.errors import WarehouseError
from warehouse.engine.coalesce import Coalescer, joinable
from warehouse.engine.connection import Answer, Context
from warehouse.protocol.statement import Statement


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("JSONEachRow", b'{"a":1}\n{"a":2}\n', True),
        ("JSONEachRow", b'{"a":1', False),
        ("Values", b"(1, 'it''s'), (2, '\\')')", True),
        ("Values", b"(1, 'open)", False),
        ("Values", b"(1), (2", False),
        ("Values", b"(1); (2)", False),
        ("Values", b"(1) -- rest", False),
        ("RowBinary", b"\0" * 8, False),
        ("CSV", b"1\n", False),
        ("JSONEachRow", b"", False),
    ],
)
def test_only_whole_rows_are_joined(kind: str, data: bytes, expected: bool) -> None:
    assert joinable(Statement("INSERT INTO t ", kind, data), Context()) is expected


def test_a_deduplication_token_keeps_an_insert_alone() -> None:
    stated = Statement("INSERT INTO t ", "Values", b"(1)")
    assert not joinable(stated, Context(settings={"insert_deduplication_token": "x"}))


def test_those_that_wait_go_together_and_a_bad_one_fails_alone() -> None:
    ran: list[bytes] = []

    async def run(user: str, stated: Statement, context: Context) -> Answer:
        ran.append(stated.data)
        await asyncio.sleep(0)
        if b"bad" in stated.data:
            raise WarehouseError("Code: 27", 27)
        return Answer(b"")

    async def scene(bodies: list[bytes]) -> list[object]:
        coalescer = Coalescer(run)
        inserts = [
            coalescer.insert("u", Statement("INSERT INTO t ", "Values", body), Context())
            for body in bodies
        ]
        return list(await asyncio.gather(*inserts, return_exceptions=True))

    assert asyncio.run(scene([b"(1)", b"(2)", b"(3)"])) == [Answer(b"")] * 3
    assert ran == [b"(1),(2),(3)"]
    ran.clear()
    answers = asyncio.run(scene([b"(1)", b"(bad)", b"(3)"]))
    assert [isinstance(answer, WarehouseError) for answer in answers] == [False, True, False]
    assert ran == [b"(1),(bad),(3)", b"(1)", b"(bad)", b"(3)"]
