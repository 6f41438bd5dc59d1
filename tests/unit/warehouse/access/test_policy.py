"""What a role may do with the shape of a statement. Whole statements: tests/security."""

import pytest

from core.errors import WarehouseError
from core.identity import User
from warehouse.access import policy
from warehouse.access.parsed import Name, Shape
from warehouse.access.policy import Place

HASH = "scrypt$1$1$1$00$00"
ANALYST, ADMIN = User("ann", "analyst", HASH), User("root", "admin", HASH)
FILTERED = User("eur", "analyst", HASH, {"d.t": "1"})


def verdict(user: User, shape: Shape, place: Place | None = None) -> int:
    try:
        policy.check(shape, user, place or Place())
    except WarehouseError as error:
        return error.code
    return 0


def reading(*parts: str) -> Shape:
    return Shape("SelectWithUnionQuery", tables={("read", Name(parts))})


def test_what_no_list_names_is_refused_whatever_it_is() -> None:
    for shape in (
        Shape("QueryOfTomorrow"),
        Shape("SelectWithUnionQuery", nodes={"SelectQuery.from_tomorrow"}),
        Shape("SelectWithUnionQuery", values={"ExplainQuery.kind=TOMORROW"}),
        Shape("SelectWithUnionQuery", functions={"tomorrow"}),
        Shape("SelectWithUnionQuery", table_functions={"tomorrow"}),
        Shape("SelectWithUnionQuery", engines={"Tomorrow"}),
        Shape("SelectWithUnionQuery", settings={"tomorrow"}),
        Shape("SelectWithUnionQuery", table_settings={"tomorrow"}),
        reading("system", "tomorrow"),
    ):
        place = Place(table_functions=frozenset({"tomorrow"}))
        assert verdict(ANALYST, shape, place) in (164, 497)
        assert verdict(ADMIN, shape) == 0


def test_a_plan_that_may_end_the_engine_is_for_nobody() -> None:
    """Seen: EXPLAIN PLAN optimize = 0 of a mart's statement of 400 lines ended it."""
    for user in (ANALYST, ADMIN):
        assert verdict(user, Shape("ExplainQuery", explained={"header", "optimize"})) == 497
        assert verdict(user, Shape("ExplainQuery", explained={"of_tomorrow"})) == 497
    assert verdict(ADMIN, Shape("ExplainQuery", explained={"header", "json"})) == 0


@pytest.mark.parametrize(
    ("value", "code"), [("t", 0), ("", 497), ("a.b", 497), ("/etc/passwd", 497), ("a b", 497)]
)
def test_a_bound_name_is_a_word_that_came_with_the_request(value: str, code: int) -> None:
    assert verdict(ANALYST, reading("d", "{t}"), Place("d", {"t": value})) == code
    assert verdict(ANALYST, reading("d", "{t}"), Place("d", {"other": "t"})) == 497


def test_a_name_without_a_database_is_no_file_of_the_folder(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "licence").write_text("x")
    for place in (Place(), Place("default"), Place("DEFAULT")):
        assert verdict(ANALYST, reading("x"), place) == 0  # a table of the session, or none
        assert verdict(ANALYST, reading("licence"), place) == 497
        assert verdict(ANALYST, reading("x.csv"), place) == 497
    assert verdict(ANALYST, reading("x.csv"), Place("d")) == 0
    assert verdict(ANALYST, reading("default", "x")) == 497


def test_a_view_with_parameters_is_a_table_that_is_read() -> None:
    for name, code in (
        ("bars", 0),
        ("d.bars", 0),
        ("default.bars", 497),
        ("a.b.c", 497),
        ("/x", 497),
    ):
        shape = Shape("SelectWithUnionQuery", table_functions={name})
        assert verdict(ANALYST, shape, Place("d")) == code


def test_who_has_row_filters_reads_no_counts() -> None:
    assert verdict(ANALYST, reading("system", "parts")) == 0
    assert verdict(FILTERED, reading("system", "parts")) == 497
    assert verdict(FILTERED, reading("parts"), Place("system")) == 497
    assert verdict(FILTERED, reading("d", "parts")) == 0
