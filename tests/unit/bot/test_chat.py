import json
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from core import identity, pseudonyms, totp, trading_control
from core.audit_log import path_in, read
from core.errors import SettingsError
from core.sections import BotSettings, PrivacySettings, TerminalSettings
from tests.support.bot_desk import ANN, BERT, CHAT, STRANGER, BotDesk
from tests.support.signed_home import SignedHome


@pytest.fixture
def desk(tmp_path: Path) -> BotDesk:
    return BotDesk(tmp_path)


def state(desk: BotDesk) -> str:
    held = trading_control.current(desk.home)
    return "none" if held is None else f"{held.state} {held.positions} {held.by}: {held.reason}"


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def code(desk: BotDesk, name: str = "ann") -> str:
    step = totp.step_of(desk.clock.now_us())
    return totp.code(totp.secret_of(desk.home, name), step)


def test_halting_asks_first_and_says_who_it_was_in_the_audit_trail(desk: BotDesk) -> None:
    assert desk.write("/halt spreads are odd") == [
        "Halt trading? Positions keep their stops.\nReason: spreads are odd"
    ]
    assert state(desk) == "none"
    (said,) = desk.press("Yes")
    assert "Trading is HALTED by ann: spreads are odd" in said
    assert state(desk) == "halted keep ann: spreads are odd"
    lines = list(read(path_in(desk.home)))
    assert [(line.actor, line.action) for line in lines] == [("ann", "halt"), ("ann", "bot halt")]
    assert json.loads(lines[1].detail)["telegram"] == ANN


def test_no_leaves_everything_as_it_is(desk: BotDesk) -> None:
    desk.write("/halt")
    assert "Nothing was done." in desk.press("No")[0]
    assert desk.press("Yes") == [""]
    assert state(desk) == "none"


def test_a_button_pressed_twice_acts_once(desk: BotDesk) -> None:
    desk.write("/halt once")
    first, second = desk.pressed("Yes"), desk.pressed("Yes")
    texts = desk.take(first, second)
    assert len([text for text in texts if "HALTED" in text]) == 1
    assert len(list(read(path_in(desk.home)))) == 2


@pytest.mark.parametrize(("person", "chat"), [(STRANGER, CHAT), (ANN, 777), (0, CHAT), (ANN, -777)])
def test_who_is_not_listed_gets_nothing_and_is_counted(
    desk: BotDesk, person: int, chat: int
) -> None:
    before = counted("tickhouse_bot_strangers_total")
    assert desk.write("/status", person, chat) == []
    assert desk.write("/halt", person, chat) == []
    assert counted("tickhouse_bot_strangers_total") == before + 2
    assert state(desk) == "none"


def test_nobody_presses_the_button_of_somebody_elses_question(desk: BotDesk) -> None:
    desk.write("/halt", ANN)
    assert desk.press("Yes", BERT) == [""]
    assert desk.press("Yes", ANN, chat=-200) == [""]
    assert state(desk) == "none"


def test_a_role_that_only_looks_may_halt_and_no_more(desk: BotDesk) -> None:
    assert desk.write("/flatten 123456", BERT) == ["/flatten is not for role analyst."]
    assert desk.write("/resume now", BERT) == ["/resume is not for role analyst."]
    lines = [(e.actor, e.action, e.reason) for e in read(path_in(desk.home))]
    assert lines == [
        ("bert", "bot refused", "/flatten is not for role analyst."),
        ("bert", "bot refused", "/resume is not for role analyst."),
    ]
    assert "/flatten" not in desk.write("/help", BERT)[0]
    desk.write("/halt", BERT)
    desk.press("Yes", BERT)
    assert state(desk) == "halted keep bert: by Telegram"


def test_a_right_that_was_taken_away_since_the_question_counts_no_more(desk: BotDesk) -> None:
    trading_control.halt(desk.home, "cleo", "test", desk.clock)
    users = identity.path_in(desk.home)
    users.parent.mkdir()
    admin = identity.new_user("ann", "admin", "long-enough")
    identity.save(users, {"ann": admin})
    desk.write("/resume all is well")
    identity.save(users, {"ann": identity.new_user("ann", "analyst", "long-enough")})
    assert "Not done: not for role analyst." in desk.press("Yes")[0]
    assert [e.action for e in read(path_in(desk.home))][-1] == "bot refused"
    identity.save(users, {"cleo": identity.new_user("cleo", "admin", "long-enough")})
    assert desk.write("/status") == []


def test_users_that_cannot_be_read_leave_only_the_halt(desk: BotDesk) -> None:
    users = identity.path_in(desk.home)
    users.parent.mkdir()
    users.write_text("{")
    assert desk.write("/status") == ["/status is not for role None."]
    desk.write("/halt")
    desk.press("Yes")
    assert state(desk) == "halted keep telegram.1: by Telegram"


def test_in_a_home_with_a_vault_records_name_a_pseudonym(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    pseudonyms.enter(vault, "ann", "p-0123456789ab")
    (tmp_path / "home").mkdir()
    desk = BotDesk(tmp_path / "home", privacy=PrivacySettings(str(vault)))
    desk.write("/halt")
    desk.press("Yes")
    assert state(desk) == "halted keep p-0123456789ab: by Telegram"


@pytest.mark.parametrize("entry", ["1", "ann=1", "1=ann:king", "1=a b", "-1=ann", "1=ann:risk:x"])
def test_a_list_of_people_that_cannot_be_read_lets_nobody_in(tmp_path: Path, entry: str) -> None:
    with pytest.raises(SettingsError, match=r"bot\.people"):
        BotDesk(tmp_path, BotSettings(people=(entry,)))
    with pytest.raises(SettingsError, match="twice"):
        BotDesk(tmp_path, BotSettings(people=("1=ann", "1=bert")))
    with pytest.raises(SettingsError, match=r"bot\.chats"):
        BotDesk(tmp_path, BotSettings(chats=("@desk",)))


def test_an_update_that_comes_again_or_late_does_nothing(desk: BotDesk) -> None:
    desk.write("/halt")
    once_more = desk.update("/halt")
    before = counted("tickhouse_bot_repeated_total")
    assert desk.take(once_more, once_more) == []
    desk.number -= 3
    assert desk.write("/status") == []
    desk.number += 3
    pressed = desk.pressed("Yes")
    assert len(desk.take(pressed)) == 1
    desk.restart()
    assert desk.take(pressed, once_more) == []
    assert counted("tickhouse_bot_repeated_total") == before + 5


def test_an_old_command_is_not_executed_and_says_so(desk: BotDesk) -> None:
    assert desk.write("/halt", ago_s=61) == [
        "/halt is 61 s old, so it was NOT executed. Send it again."
    ]
    assert desk.write("/halt", ago_s=-31)[0].startswith("The clocks differ")
    assert "Halt trading?" in desk.write("/halt", ago_s=59)[0]


def test_a_question_lives_for_a_minute_and_no_restart(desk: BotDesk) -> None:
    desk.write("/halt")
    late = desk.pressed("Yes")
    desk.wait_us(61_000_000)
    assert desk.take(late) == [""]
    desk.write("/halt")
    desk.restart()
    assert desk.press("Yes") == [""]
    assert state(desk) == "none"


def test_too_many_commands_are_refused_once_and_halting_never(desk: BotDesk) -> None:
    said = [desk.write("/status") for _ in range(22)]
    assert [len(one) for one in said] == [1] * 21 + [0]
    assert said[20] == ["Too many commands in this minute; /halt is heard all the same."]
    assert "Halt trading?" in desk.write("/halt")[0]
    desk.wait_us(60_000_001)
    assert "Trading is active." in desk.write("/status")[0]


def test_flattening_needs_a_code_that_counts_once(desk: BotDesk) -> None:
    assert "tickhouse bot enrol" in desk.write("/flatten 123456")[0]
    totp.secret_of(desk.home, "ann")
    given = code(desk)
    assert "CLOSE all positions?" in desk.write(f"/flatten {given} news")[0]
    assert desk.write(f"/flatten {given}") == ["That code is wrong, or was used."]
    refused = [e for e in read(path_in(desk.home)) if e.action == "bot refused"]
    assert [e.reason for e in refused][-1] == "That code is wrong, or was used."
    assert not [e for e in refused if given in e.detail], "codes are kept nowhere"
    desk.restart()
    assert desk.write(f"/flatten {given}") == ["That code is wrong, or was used."]
    desk.wait_us(30_000_000)
    desk.write(f"/flatten {code(desk)} news")
    desk.press("Yes")
    assert state(desk) == "halted flatten ann: news"


def test_after_three_wrong_codes_even_a_right_one_waits(desk: BotDesk) -> None:
    totp.secret_of(desk.home, "ann")
    for wrong in ("", "000000", "\uff11" * 6, "x" * 5000):
        desk.write(f"/flatten {wrong}")
    assert desk.write(f"/flatten {code(desk)}")[0].startswith("Too many wrong codes")
    desk.wait_us(600_000_001)
    assert "CLOSE all" in desk.write(f"/flatten {code(desk)}")[0]


def test_a_memory_that_was_damaged_lets_no_code_of_now_count_again(desk: BotDesk) -> None:
    totp.secret_of(desk.home, "ann")
    given = code(desk)
    desk.write(f"/flatten {given}")
    (desk.home / "bot" / "memory.json").write_bytes(b"\xff{")
    desk.restart()
    assert desk.write(f"/flatten {given}") == ["That code is wrong, or was used."]


def test_resuming_without_users_holds_after_the_question(desk: BotDesk) -> None:
    assert desk.write("/resume") == ["Trading is active; there is nothing to resume."]
    trading_control.halt(desk.home, "cleo", "test", desk.clock)
    assert desk.write("/resume") == ["Say why: /resume REASON. It is kept."]
    desk.write("/resume all is well")
    assert "Trading is ACTIVE again (ann: all is well)." in desk.press("Yes")[0]
    assert state(desk) == "active keep ann: all is well"


def test_real_money_without_users_is_not_resumed(tmp_path: Path) -> None:
    desk = BotDesk(tmp_path, terminal=TerminalSettings(kind="real"))
    trading_control.halt(desk.home, "cleo", "test", desk.clock)
    desk.write("/resume all is well")
    assert "NOT resumed: real money needs users" in desk.press("Yes")[0]
    assert state(desk).startswith("halted")


def test_resuming_where_people_sign_only_prepares(tmp_path: Path) -> None:
    signed = SignedHome(tmp_path)
    desk = BotDesk(signed.home, controls=signed.settings)
    trading_control.halt(desk.home, "cleo", "test", desk.clock)
    assert "Prepare to resume?" in desk.write("/resume all is well")[0]
    assert "Prepared, and NOT resumed" in desk.press("Yes")[0]
    assert state(desk).startswith("halted")
    assert signed.now().waiting == {}


def test_a_halt_reaches_the_copy_outside_of_a_signed_home(tmp_path: Path) -> None:
    signed = SignedHome(tmp_path)
    desk = BotDesk(signed.home, controls=signed.settings)
    desk.write("/halt")
    desk.press("Yes")
    assert (signed.place.trust / "control.json").exists()


def test_what_is_no_command_or_another_bots_is_not_answered(desk: BotDesk) -> None:
    assert desk.write("good morning") == []
    assert desk.write("/status@other_bot") == []
    assert desk.write("") == []
    assert len(desk.write("/status@Desk_Bot")) == 1
    assert desk.write("/start")[0].startswith("You are ann (risk).")
    assert desk.write("/rm -rf") == ["There is no such command: /help lists them."]


def test_after_a_week_without_updates_their_numbers_may_begin_anew(desk: BotDesk) -> None:
    desk.write("/status")
    assert desk.memory.offset == desk.number + 1
    desk.wait_us(7 * 86_400_000_000)
    assert desk.memory.offset is None
    desk.number = 20
    assert len(desk.write("/status")) == 1
    assert desk.memory.offset == 22
