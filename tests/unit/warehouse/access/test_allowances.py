"""The lists are the engine's own words, and an upgrade of the engine is noticed."""

from collections.abc import Iterator

import pytest

from warehouse.access import allowances
from warehouse.engine.engine import Chdb


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chdb]:
    engine = Chdb(tmp_path_factory.mktemp("lists") / "warehouse")
    try:
        yield engine
    finally:
        engine.close()


def test_the_lists_are_of_this_engine(engine: Chdb) -> None:
    assert allowances.lists().engine == engine.version
    assert allowances.unknown(engine.names) == []


def test_every_function_is_allowed_or_refused_by_name(engine: Chdb) -> None:
    lists = allowances.lists()
    named = lists.functions | lists.refused_functions
    assert engine.names("functions") - named == set()


def test_aggregate_functions_have_combinators_and_others_have_none_of_their_rights() -> None:
    for name in ("sum", "sumIf", "argMaxOrNullIf", "quantilesTimingMergeState", "SUMIF"):
        assert allowances.function_allowed(name)
    for name in ("file", "fileIf", "fileIfIf", "if_", "nosuch", "nosuchState", "aiGenerate"):
        assert not allowances.function_allowed(name)
