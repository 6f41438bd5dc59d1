"""What a library takes only if it is there can be kept from it."""

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.absent import absent

MODULE = "this"  # nothing else imports it


@pytest.fixture(autouse=True)
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, MODULE, raising=False)


def test_a_module_cannot_be_imported_within_it_and_can_after_it() -> None:
    with absent(MODULE), pytest.raises(ModuleNotFoundError, match="not wanted"):
        importlib.import_module(MODULE)
    assert importlib.import_module(MODULE)


def test_what_is_loaded_already_stays() -> None:
    with absent("sys"):
        assert importlib.import_module("sys") is sys


def test_other_modules_and_other_threads_import_as_ever() -> None:
    with absent("antigravity"):
        assert importlib.import_module(MODULE)
    sys.modules.pop(MODULE)
    with absent(MODULE), ThreadPoolExecutor(1) as other:
        assert other.submit(importlib.import_module, MODULE).result()
