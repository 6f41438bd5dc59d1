"""A start looks seldom for garbage; afterwards it is as usual, but for what stays."""

import gc
from collections.abc import Iterator

import pytest

from core import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)


def test_a_start_looks_seldom_and_a_started_process_as_often_as_before() -> None:
    usual = garbage._USUAL
    garbage.spare_start()
    assert gc.get_threshold()[0] > usual[0]
    garbage.started()
    assert gc.get_threshold() == usual


def test_what_a_start_made_is_not_looked_through_again() -> None:
    kept: list[list[int]] = [[]]
    garbage.started()
    assert not any(thing is kept for thing in gc.get_objects())
