"""Alerts through a box: the first at once, a flood as a digest, none lost; real receivers."""

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.alert_box import LISTED, AlertBox
from core.clock import ManualClock
from core.sections import AlertSettings
from tests.support.http_receiver import Receiver
from tests.support.servers import free_port
from tests.support.smtp_receiver import SmtpReceiver

SECOND = 1_000_000
NOON = 1_700_000_000 * SECOND


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as built:
        yield built


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def box(home: Path, clock: ManualClock, **settings: object) -> AlertBox:
    return AlertBox(home, AlertSettings(**settings), clock)  # type: ignore[arg-type]


def texts(receiver: Receiver) -> list[str]:
    return [body["text"] for body in receiver.received]


def test_the_first_goes_at_once_and_a_flood_is_one_digest(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    alerts = box(tmp_path, clock, webhook=receiver.url, digest_s=60)
    assert alerts.notify("feed stale", "EURUSD", {"job": "j"}).sent == ("webhook",)
    assert receiver.received[0]["job"] == "j"
    for _ in range(30):
        clock.advance(clock.now_us() + SECOND)
        assert alerts.notify("Tickhouse: rejects", "10018") == ((), ())
    assert alerts.notify("drawdown", "5 %") == ((), ())
    assert alerts.send_due() == ((), ())
    clock.advance(NOON + 60 * SECOND)
    assert alerts.send_due().sent == ("webhook",)
    assert texts(receiver) == [
        "feed stale: EURUSD",
        "Tickhouse: 31 alerts: 22:13:21 to 22:13:50, 30 times: rejects: 10018\n"
        "22:13:50: drawdown: 5 %",
    ]
    assert alerts.send_due() == ((), ())


def test_a_quiet_spell_makes_the_next_one_first_again(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    alerts = box(tmp_path, clock, webhook=receiver.url, digest_s=60)
    for text in ("one", "two"):
        assert alerts.notify("t", text).sent == ("webhook",)
        clock.advance(clock.now_us() + 61 * SECOND)
    assert texts(receiver) == ["t: one", "t: two"]


def test_without_a_digest_each_goes_at_once(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    alerts = box(tmp_path, clock, webhook=receiver.url, digest_s=0)
    for text in ("one", "two"):
        alerts.notify("t", text)
    assert texts(receiver) == ["t: one", "t: two"]


def test_what_a_target_did_not_take_is_tried_again_and_delays_no_other(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    mail = {"email_to": "a@example.com", "smtp_security": "insecure"}
    alerts = box(tmp_path, clock, webhook=receiver.url, digest_s=0, smtp=nowhere, **mail)
    assert alerts.notify("x", "why") == (("webhook",), ("email",))
    assert alerts.send_due() == ((), ()), "not before retry_s is over"
    clock.advance(NOON + 31 * SECOND)
    with SmtpReceiver() as server:
        reached = f"127.0.0.1:{server.port}"
        again = box(tmp_path, clock, webhook=receiver.url, digest_s=0, smtp=reached, **mail)
        assert again.send_due().sent == ("email",)
    assert server.mails[0].message["Subject"] == "x"
    assert texts(receiver) == ["x: why"]
    assert again.send_due() == ((), ())


def test_a_repeat_of_what_one_target_has_is_news_to_it_again(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    mail = {"email_to": "a@example.com", "smtp_security": "insecure", "smtp": nowhere}
    alerts = box(tmp_path, clock, webhook=receiver.url, digest_s=0, **mail)
    alerts.notify("x", "why")
    alerts.notify("x", "why")
    assert texts(receiver) == ["x: why", "x: why"]


def test_an_end_sends_what_is_gathered(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    alerts = box(tmp_path, clock, webhook=receiver.url)
    alerts.notify("t", "one")
    alerts.notify("t", "two")
    assert alerts.send_due(now=True).sent == ("webhook",)
    assert texts(receiver) == ["t: one", "t: two"]


def _tell_and_die(home: Path, url: str) -> None:
    alerts = box(home, ManualClock(NOON), webhook=url)
    alerts.notify("t", "first")
    alerts.notify("t", "second")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_leaves_its_alerts_to_the_next(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    child = multiprocessing.get_context("spawn").Process(
        target=_tell_and_die, args=(tmp_path, receiver.url)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    clock.advance(NOON + 301 * SECOND)
    assert box(tmp_path, clock, webhook=receiver.url).send_due().sent == ("webhook",)
    assert texts(receiver) == ["t: first", "t: second"]


def test_of_a_deluge_the_number_is_told(
    tmp_path: Path, receiver: Receiver, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = LISTED + 5
    monkeypatch.setattr("adapters.alert_box.MOST", most)  # a thousand files are not the point
    alerts = box(tmp_path, clock, webhook=receiver.url)
    alerts.notify("t", "first")
    for at in range(most + 5):
        alerts.notify("t", f"{at}")
    alerts.send_due(now=True)
    digest = texts(receiver)[1]
    assert digest.startswith(f"Tickhouse: {most + 5} alerts")
    assert digest.endswith(f"and {most + 5 - LISTED} more; all are in the log")
    assert json.loads((tmp_path / "alerts.json").read_bytes())["waiting"] == []


def test_a_box_that_cannot_be_written_or_read_silences_nobody(
    tmp_path: Path, receiver: Receiver, clock: ManualClock
) -> None:
    (tmp_path / "alerts.json").write_text("{")
    assert box(tmp_path, clock, webhook=receiver.url).notify("t", "one").sent == ("webhook",)
    file = tmp_path / "file"
    file.write_text("")
    assert box(file, clock, webhook=receiver.url).notify("t", "two").sent == ("webhook",)
    assert texts(receiver) == ["t: one", "t: two"]


def test_with_nobody_to_tell_nothing_is_kept(tmp_path: Path, clock: ManualClock) -> None:
    assert box(tmp_path, clock).notify("t", "x") == ((), ())
    assert not (tmp_path / "alerts.json").exists()
