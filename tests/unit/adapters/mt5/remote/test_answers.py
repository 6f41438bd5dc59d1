"""What an agent takes and what it refuses: calls as data, never as code."""

import time
from typing import Any

import msgspec
import numpy as np
import pytest

from adapters.mt5.protocol import constants as mt5
from adapters.mt5.real.terminal import RealTerminal
from adapters.mt5.remote import frames
from adapters.mt5.remote.answers import ARGUMENTS, TerminalCalls
from adapters.mt5.remote.links import ExchangeLink
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.terminal import SimulatedTerminal
from core.sections import TerminalSettings
from tests.support.foreign_broker import ForeignBroker

SETTINGS = TerminalSettings(kind="real", symbols=("BITCOIN",), source="icm")


@pytest.fixture
def package() -> ForeignBroker:
    inside = SimulatedTerminal(GeneratedMarket(("BTCUSD",), "x", 7))
    return ForeignBroker(inside, {"BTCUSD": "BITCOIN"}, "Etc/GMT-3")


@pytest.fixture
def answers(package: ForeignBroker) -> TerminalCalls:
    return TerminalCalls(RealTerminal(SETTINGS, package))


class Straight:
    """An exchange without anything between."""

    problem = "nobody"

    def __init__(self, answers: TerminalCalls) -> None:
        self._answers = answers

    def open(self, timeout_s: float) -> bool:
        return True

    def ask(self, request: bytes, timeout_s: float) -> bytes:
        return self._answers.answer(request, "execution")

    def close(self) -> None:
        """Nothing to close."""


def called(
    answers: TerminalCalls, method: str, *arguments: Any, role: str = "execution"
) -> frames.Answer:
    frame = answers.answer(msgspec.msgpack.encode(frames.Call(method, 0, list(arguments))), role)
    return msgspec.msgpack.decode(frames.split(frame)[0], type=frames.Answer)


@pytest.mark.parametrize("method", ["shutdown", "initialize", "_terminal", "__init__", "slice", ""])
def test_only_named_functions_can_be_called(answers: TerminalCalls, method: str) -> None:
    assert called(answers, method).code == mt5.RES_E_UNSUPPORTED


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("symbol_info", []),
        ("symbol_info", [7]),
        ("symbol_info", ["BITCOIN", "more"]),
        ("copy_ticks_range", ["BITCOIN", "0", 1.0, 1]),
        ("order_send", [{"action": 1, "symbol": "BITCOIN", "code": "import os"}]),
        ("order_send", ["__import__('os')"]),
        ("order_send", [{"action": 1, "symbol": "BITCOIN", "volume": "0.1"}]),
    ],
)
def test_arguments_of_other_types_are_refused(
    answers: TerminalCalls, package: ForeignBroker, method: str, arguments: list[Any]
) -> None:
    assert called(answers, method, *arguments).code == mt5.RES_E_INVALID_PARAMS
    assert package.requests == []


def test_bytes_that_are_no_call_are_refused(answers: TerminalCalls) -> None:
    head, _ = frames.split(answers.answer(b"\x93print('hello')", "execution"))
    assert msgspec.msgpack.decode(head, type=frames.Answer).code == mt5.RES_E_INVALID_PARAMS


def test_a_failure_of_the_package_is_told_and_the_agent_lives(
    answers: TerminalCalls, package: ForeignBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise RuntimeError("the package broke")

    monkeypatch.setattr(package, "account_info", fails, raising=False)
    result = called(answers, "account_info")
    assert (result.code, "broke" in result.text) == (mt5.RES_E_INTERNAL_FAIL, True)
    assert called(answers, "terminal_info").code == mt5.RES_S_OK


def test_every_answer_arrives_as_it_was_given(
    answers: TerminalCalls, package: ForeignBroker
) -> None:
    local, remote = RealTerminal(SETTINGS, package), RemoteTerminal(ExchangeLink(Straight(answers)))
    now = time.time()
    assert remote.initialize()
    assert remote.offered() == local.offered() == ("BITCOIN",)
    assert remote.account_info() == local.account_info()
    assert remote.symbol_info("BITCOIN") == local.symbol_info("BITCOIN")
    assert remote.symbol_info("EURUSD") is None
    before = now - 3600, now + 4 * 3600
    ticks = remote.copy_ticks_range("BITCOIN", *before, mt5.COPY_TICKS_ALL)
    expected = local.copy_ticks_range("BITCOIN", *before, mt5.COPY_TICKS_ALL)
    assert ticks is not None
    assert expected is not None
    assert len(ticks) > 100
    assert np.array_equal(ticks, expected[: len(ticks)])
    request = {
        "action": mt5.TRADE_ACTION_DEAL, "symbol": "BITCOIN", "volume": 0.1, "type": 0,
        "price": float(ticks["ask"][-1]), "deviation": 10_000, "type_filling": 1, "magic": 77,
        "comment": "a" * 31,
    }  # fmt: skip
    answer = remote.order_send(request)
    assert answer.retcode == mt5.TRADE_RETCODE_DONE
    assert package.requests[-1].keys() == request.keys()
    held = remote.positions_get("BITCOIN")
    assert [p.magic for p in held] == [77]
    deals = remote.history_deals_get(now - 60, now + 4 * 3600)
    assert [d.magic for d in deals if d.magic] == [77]


def test_every_function_that_may_be_called_is_one_of_the_protocol() -> None:
    assert set(ARGUMENTS) <= set(frames.METHODS)
    ours = {"claim"}  # the agent answers that itself
    assert all(hasattr(RealTerminal, name) for name in ARGUMENTS.keys() - ours)
