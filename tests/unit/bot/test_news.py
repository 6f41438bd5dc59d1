from pathlib import Path
from typing import Any

from bot.news import News
from bot.outgoing import Outgoing
from surveillance import standing
from surveillance.firing import StandingAlert
from tests.support.bot_desk import BERT, CHAT, START_US, BotDesk

FEED = StandingAlert("feed_stale", "sim EURUSD", 90.0, 60.0, START_US, fired_us=START_US)


def shown(alert: StandingAlert, **more: Any) -> dict[str, Any]:
    rule = alert.definition
    return {
        "id": alert.alert_id, "rule": rule.name, "title": rule.title, "subject": alert.subject,
        "severity": rule.severity, "says": "no tick", "remedy": "look", "time": alert.fired_us,
        "by": "", "note": "",
    } | more  # fmt: skip


def news(desk: BotDesk, *tells: str) -> News:
    kinds = tells or ("alerts", "trading", "fills")
    return News(desk.items, desk.memory, desk.commands, kinds, [CHAT, 7], START_US)


def texts(said: list[Outgoing]) -> list[str]:
    return [out.text for out in said if out.chat == CHAT]


def test_an_alert_is_told_once_to_every_chat_also_across_a_restart(tmp_path: Path) -> None:
    desk = BotDesk(tmp_path)
    assert news(desk).newest() == []
    desk.items.put("alerts", {"evaluated": START_US, "login": False})
    desk.items.put(f"alert|{FEED.alert_id}", shown(FEED))
    telling = news(desk)
    first = telling.newest()
    assert [out.chat for out in first] == [CHAT, 7]
    assert "sim EURUSD" in first[0].text
    assert [len(button.carries.encode()) <= 64 for button in first[0].buttons] == [True, True]
    assert telling.newest() == []
    desk.restart()
    assert news(desk).newest() == []


def test_buttons_under_an_alert_ask_and_then_answer_it_for_everybody(tmp_path: Path) -> None:
    desk = BotDesk(tmp_path)
    standing.write_watched(tmp_path, {(FEED.rule, FEED.subject): FEED}, START_US)
    desk.items.put(f"alert|{FEED.alert_id}", shown(FEED))
    desk.write("/alerts")
    assert desk.press("Acknowledge", BERT) == ["Nothing was done: not for your role."]
    assert desk.press("Acknowledge")[0].startswith("Acknowledge ")
    assert "acknowledged by ann" in desk.press("Yes")[0]
    answers = standing.read_answers(tmp_path)
    assert list(answers.acknowledged.values()) == [("ann", "by Telegram")]
    desk.items.put(f"alert|{FEED.alert_id}", shown(FEED, by="ann"))
    assert "ann acknowledged it before" in desk.press("Acknowledge")[0]
    desk.press("Silence 1h")
    desk.press("Yes")
    (silence,) = standing.read_answers(tmp_path).silences
    assert (silence.rule, silence.subject, silence.by) == ("feed_stale", "sim EURUSD", "ann")
    desk.items.put(f"alert|{FEED.alert_id}", None)
    assert desk.press("Acknowledge") == ["Nothing was done: it fires no more."]


def test_fills_and_states_are_news_when_they_come_after_the_start(tmp_path: Path) -> None:
    desk = BotDesk(tmp_path)
    fill = {
        "order": "o", "feed": "sim/EURUSD", "time": START_US - 1, "kind": "filled", "side": "sell",
        "purpose": "horizon", "volume": 0.1, "price": 1.1, "profit": -3.5,
    }  # fmt: skip
    risk = {"account": "a", "mode": "demo", "state": "active", "by": "", "reason": ""}
    desk.items.put("fill|1", fill)
    desk.items.put("risk|a", risk | {"since": START_US + 1})
    telling = news(desk)
    assert telling.newest() == []
    desk.items.put("fill|2", fill | {"time": START_US + 1})
    desk.items.put(
        "risk|a", risk | {"state": "halted", "by": "ann", "reason": "x", "since": START_US + 2}
    )
    assert texts(telling.newest()) == [
        "Trading of a is HALTED by ann: x", "Filled 12:00:00 ▼EURUSD 0.1 at 1.1 horizon #o: -3.50"
    ]  # fmt: skip
    assert telling.newest() == []
    desk.items.put("fill|3", fill | {"time": START_US + 3})
    assert texts(news(desk, "trading").newest()) == ["Trading of a is HALTED by ann: x"]
