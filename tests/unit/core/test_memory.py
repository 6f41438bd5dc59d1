"""A library's pages go, and what it does afterwards is the same."""

import sys
from pathlib import Path

import msgspec._core
import pytest

from core import memory


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_a_library_lets_go_of_its_pages_and_works_on() -> None:
    library = Path(msgspec._core.__file__).name
    assert list(memory.unwritten(library))
    memory.page_out(library)
    assert msgspec.json.decode(b"[1]") == [1]


def test_a_library_that_is_not_loaded_has_no_pages() -> None:
    memory.page_out("libnothing.so")
    memory.give_back()
