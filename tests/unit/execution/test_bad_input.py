"""Whatever stands on the bus: execution goes on, and nothing is sent for what makes no sense."""

import math
import tempfile
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core.contracts import codec
from core.contracts.tick import TickBatch
from core.topics import CONTROL, SIGNALS, TICKS
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile
from tests.support.waiting import until
from tests.unit.execution.desk import Desk
from tests.unit.execution.test_live import Running


def test_unreadable_messages_are_skipped_and_the_next_signal_is_traded(tmp_path: Path) -> None:
    desk = Desk(tmp_path, control=tmp_path / "control.json")
    good = codec.encode(desk.signal(1.0, "good"))
    future = msgspec.msgpack.decode(codec.encode(desk.signal(1.0, "future")))
    future[0] = "Signal/2"
    short = msgspec.msgpack.decode(good)[:9]
    with Running(desk):
        for payload in (
            b"", b"\xc1", good[:-1], b"null", msgspec.msgpack.encode(future),
            msgspec.msgpack.encode(short), msgspec.json.encode(future),
        ):  # fmt: skip
            for topic in (SIGNALS, TICKS, CONTROL):
                desk.bus.publish(topic, "k", payload)
        torn = TickBatch("live", "live", "oanda", "EURUSD", 0, 0, b"12345")
        desk.bus.publish(TICKS, "k", codec.encode(torn))
        desk.bus.publish(SIGNALS, "k", good)
        until(lambda: len(desk.terminal.sent) == 1)
        assert {t.name for t in threading.enumerate()} >= {"ticks", "control"}
    assert {e.signal_id for e in desk.events()} - {""} == {"good"}
    desk.close()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target": math.nan}, "oversized"),
        ({"target": math.inf}, "oversized"),
        ({"stop_price": math.nan}, "off_price"),
        ({"stop_price": -1.0}, "off_price"),
        ({"reference_price": math.nan}, "off_price"),
        ({"reference_price": -math.inf}, "off_price"),
        ({"symbol": "NOTHING"}, "unknown_symbol"),
        ({"symbol": ""}, "unknown_symbol"),
        ({"source": "elsewhere"}, "unknown_symbol"),
        ({"symbol": "EURUSD'; --"}, "unknown_symbol"),
        ({"expires_us": -(2**62)}, "stale_signal"),
    ],
)
def test_a_signal_that_makes_no_sense_is_denied_and_journalled(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    desk = Desk(tmp_path)
    desk.engine.on_signal(replace(desk.signal(1.0), **changes))
    assert desk.events()[-1].reason == reason
    assert desk.terminal.sent == []
    desk.close()


number = st.floats() | st.sampled_from([0.0, 1.0, -1.0, 1.09, 1.1, 1.11])


@settings(max_examples=60, deadline=None)
@given(
    target=number, reference=number, stop=number, confidence=number,
    horizon=st.integers(-(2**60), 2**60), sizing=st.sampled_from(["fixed", "volatility", "kelly"]),
)  # fmt: skip
def test_no_numbers_make_it_fail_or_send_a_senseless_order(
    target: float, reference: float, stop: float, confidence: float, horizon: int, sizing: str
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        desk = Desk(Path(directory))
        book = of_settings(desk.settings.execution)
        sized = book._replace(base=replace(book.base, sizing=sizing))
        desk.use(LimitsFile("simulated", sized))
        desk.trade(
            target, reference_price=reference, stop_price=stop, confidence=confidence,
            horizon_us=horizon,
        )  # fmt: skip
        for request in desk.terminal.sent:
            assert 0.01 <= request["volume"] <= 1.0
            assert (request["sl"] < 1.1) == (target > 0)
        desk.close()
