"""Symbol names: plain while unique, with the source when two brokers quote the same."""

from pathlib import Path

import pytest

from adapters.mt5.real import symbols
from adapters.mt5.remote.links import TcpLink
from adapters.mt5.remote.terminal import RemoteTerminal
from core.errors import UnavailableError
from tests.support.markets import TUESDAY, terminal

ROWS = [(TUESDAY, 1.1, 1.2)]


def test_names_are_plain_while_unique() -> None:
    feeds = [("a", "EURUSD"), ("b", "EURUSD"), ("b", "XAUUSD")]
    assert symbols.terminal_names(feeds) == {
        "EURUSD.a": ("a", "EURUSD"),
        "EURUSD.b": ("b", "EURUSD"),
        "XAUUSD": ("b", "XAUUSD"),
    }


def test_resolve_reads_source_and_symbol_from_the_path() -> None:
    term = terminal({"EURUSD_a": ROWS, "EURUSD_b": ROWS, "FOOBAR_b": ROWS})
    assert symbols.resolve(term) == {
        ("a", "EURUSD"): "EURUSD.a",
        ("b", "EURUSD"): "EURUSD.b",
        ("b", "FOOBAR"): "FOOBAR",
    }


def test_a_symbol_without_reference_data_cannot_be_traded() -> None:
    term = terminal({"FOOBAR_b": ROWS})
    info = term.symbol_info("FOOBAR")
    assert info is not None
    assert info.trade_mode == 0


def test_a_silent_terminal_is_an_error(tmp_path: Path) -> None:
    nobody = RemoteTerminal(TcpLink("127.0.0.1:9", tmp_path, "collector"), timeout_s=0.1)
    with pytest.raises(UnavailableError, match="no IPC"):
        symbols.resolve(nobody)
