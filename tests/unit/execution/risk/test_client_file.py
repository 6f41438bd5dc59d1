"""A client's file as execution reads it: nothing opens without it, and what is open closes."""

from pathlib import Path

import pytest

from core import checked_json, client_files, durable
from core.client_files import ClientFile, ClientFiles, Need, Span
from core.contracts.order import EventKind
from core.errors import InputError
from core.settings import Settings
from execution.journal import journal
from execution.order_path.engine import Engine
from execution.risk import limits, run_rules
from execution.risk.client_file import ClientRule
from execution.risk.direction import raises
from execution.risk.limits import of_settings
from execution.risk.limits_file import LimitsFile, freeze, frozen
from tests.support.markets import TUESDAY
from tests.unit.execution.desk import KEY, RUN, Desk
from tests.unit.execution.order_path.test_waiting import ROWS, polled, taken
from tests.unit.execution.test_firm_replay import run

WHO = "p-0123456789ab"
HOUR, DAY = 3_600_000_000, 86_400_000_000
LIMITS = f'version = "t"\n[accounts.simulated]\nclient = "{WHO}"\n'


def published(home: Path, now_us: int, *needs: Need, since_us: int = 0) -> Path:
    """A check of now that counts for two days."""
    file = ClientFile(WHO, since_us, needs)
    path = client_files.path_in(home)
    state = ClientFiles("v", now_us, now_us + 48 * HOUR, (file,))
    durable.write(path, checked_json.encode(state))
    return path


def need(name: str, *spans: tuple[int, int]) -> Need:
    return Need(name, tuple(Span(*span) for span in spans))


def answer(rule: ClientRule, now_us: int, client: str = WHO) -> tuple[str, float, float] | None:
    denial = rule.denial(client, now_us)
    return denial and (denial.reason.value, denial.limit, denial.observed)


def test_what_lacks_or_has_run_out_denies_from_its_moment(tmp_path: Path) -> None:
    now = 1000 * DAY
    path = published(
        tmp_path, now, need("identity", (0, now + HOUR)), need("address", (now - 1, now + 2 * HOUR))
    )
    rule = ClientRule(path)
    assert answer(rule, now) is None
    assert answer(rule, now + HOUR - 1) is None
    assert answer(rule, now + HOUR) == ("client_file", 2.0, 1.0)
    assert answer(rule, now + 2 * HOUR) == ("client_file", 2.0, 0.0)
    assert answer(rule, now, "p-ba9876543210") == ("client_file", 1.0, 0.0)
    assert answer(rule, now + HOUR, "") is None
    assert rule.next_denied_us(WHO, now, now + 9 * HOUR) == now + HOUR
    assert rule.next_denied_us(WHO, now, now + HOUR - 1) is None


def test_a_document_that_follows_another_leaves_no_gap() -> None:
    one = need("identity", (10, 20), (15, 40), (41, 50))
    assert [one.until_us(at) for at in (9, 10, 20, 40, 41, 50)] == [0, 40, 40, 0, 50, 0]


def test_a_check_that_is_old_or_of_the_future_is_none(tmp_path: Path) -> None:
    now = 1000 * DAY
    rule = ClientRule(published(tmp_path, now, need("identity", (0, now + 100 * DAY))))
    assert answer(rule, now + 48 * HOUR) is None
    assert answer(rule, now + 49 * HOUR) == ("stale_client_file", 48.0, 49.0)
    assert answer(rule, now - HOUR) == ("stale_client_file", 48.0, -1.0)  # the clock was set back
    assert answer(ClientRule(tmp_path / "none.json"), now) == ("stale_client_file", 0.0, 0.0)
    assert answer(ClientRule(None), now) == ("stale_client_file", 0.0, 0.0)


def test_a_damaged_or_changed_file_says_nothing_until_it_is_written_anew(tmp_path: Path) -> None:
    now = 1000 * DAY
    path = published(tmp_path, now, need("identity", (0, now + HOUR)))
    rule = ClientRule(path)
    path.write_bytes(path.read_bytes().replace(str(now + HOUR).encode(), str(now + DAY).encode()))
    rule.poll()
    assert answer(rule, now) == ("stale_client_file", 0.0, 0.0)
    assert "not as it was written" in rule.problem
    published(tmp_path, now, need("identity", (0, now + HOUR)))
    rule.poll()
    assert (answer(rule, now), rule.problem) == (None, "")
    path.unlink()
    rule.poll()
    assert answer(rule, now) == ("stale_client_file", 0.0, 0.0)


def test_live_entries_are_denied_exits_pass_and_nothing_is_prolonged(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    now = desk.clock.now_us()
    (tmp_path / "limits.toml").write_text(LIMITS)
    limits_ = LimitsFile(RUN.account, of_settings(desk.settings.execution), tmp_path)
    rule = ClientRule(client_files.path_in(tmp_path))
    desk.engine = Engine(
        settings=desk.settings, clock=desk.clock, ledger=desk.ledger, venue=desk.venue,
        quotes=desk.quotes, trading=desk.trading, reconciler=desk.reconciler, funds=desk.funds,
        limits=limits_, clients=rule,
    )  # fmt: skip
    assert desk.trade(1.0)[-1] == "entry denied"
    published(tmp_path, now, need("identity", (0, now + 60_000_000)))
    rule.poll()
    desk.at(5)
    assert desk.trade(1.0)[-1] == "entry filled"
    desk.at(61)
    desk.trade(1.0, "again")  # what is held: no longer for this client
    denied = [e for e in desk.events() if e.kind is EventKind.DENIED]
    assert [e.reason for e in denied] == ["stale_client_file", "client_file"]
    assert (denied[-1].limit, denied[-1].observed) == (1.0, 0.0)
    assert desk.engine.exit(next(iter(desk.book.positions.values())), "flatten")
    assert desk.book.net(KEY) == 0.0
    desk.close()


def test_an_order_that_waits_is_taken_back_when_the_file_ends(tmp_path: Path) -> None:
    desk = Desk(tmp_path, rows=ROWS)
    (tmp_path / "limits.toml").write_text(LIMITS)
    limits_ = LimitsFile(RUN.account, of_settings(desk.settings.execution), tmp_path)
    now = desk.clock.now_us()
    rule = ClientRule(published(tmp_path, now, need("identity", (0, now + 30_000_000))))
    desk.engine = Engine(
        settings=desk.settings, clock=desk.clock, ledger=desk.ledger, venue=desk.venue,
        quotes=desk.quotes, trading=desk.trading, reconciler=desk.reconciler, funds=desk.funds,
        limits=limits_, clients=rule,
    )  # fmt: skip
    assert [e.kind.value for e in taken(desk, desk.order(1.0, 1.097, stop_price=1.09))][
        -1
    ] == "accepted"
    assert polled(desk, 28, 1.1) == []
    gone = polled(desk, 34, 1.1)
    assert (gone[0].kind.value, gone[0].reason) == ("cancelling", "client_file")
    assert desk.engine.contexts.next_denied_us("EURUSD", now + 90_000_000) == desk.clock.now_us()
    desk.close()


def test_a_replay_knows_what_was_known_then(tmp_path: Path) -> None:
    begin = TUESDAY * 1000
    since, until = begin + 60_000_000, begin + 5 * 60_000_000
    rules = f'version = "t"\n[accounts.replay-r1]\nclient = "{WHO}"\n'
    published(tmp_path, begin + 9 * DAY, need("identity", (since, until)), since_us=since)
    run(tmp_path, rules)
    events = list(journal.events(tmp_path / "journal"))
    denied = [e.ts_init_us for e in events if e.reason == "client_file"]
    entries = [
        e.ts_init_us for e in events if e.kind is EventKind.SUBMITTED and e.purpose == "entry"
    ]
    assert denied
    assert min(denied) >= until > max(entries)


def test_a_run_trades_for_the_client_of_the_settings_account(tmp_path: Path) -> None:
    now = 1000 * DAY
    settings = Settings(home=str(tmp_path))
    unknown = run_rules.chosen(settings, LIMITS.encode())
    assert (unknown.client, unknown.client_file) == (WHO, b"")
    published(tmp_path, now, need("identity", (0, now)))
    rules = run_rules.chosen(settings, LIMITS.encode())
    published(tmp_path, now + HOUR, need("identity", (0, now)))  # checked again, the same
    assert run_rules.chosen(settings, LIMITS.encode()).shaping == rules.shaping
    assert len({unknown.shaping, rules.shaping}) == 2
    copy = tmp_path / "copy"
    run_rules.freeze(rules, copy)
    freeze(LIMITS.encode(), copy)
    assert frozen("replay-1", of_settings(settings.execution), copy).rules.client == WHO
    rule = ClientRule(client_files.path_in(copy), frozen=True)
    assert answer(rule, now - 1) is None
    assert answer(rule, now) == ("client_file", 1.0, 0.0)


def test_a_name_is_no_client_and_dropping_one_raises_risk() -> None:
    with pytest.raises(InputError, match=r"client: is a pseudonym"):
        limits.parse(b'version = "t"\n[accounts.a]\nclient = "Ann"\n', "limits.toml")
    without = b'version = "t"\n[accounts.simulated]\n'
    assert raises("limits", "", LIMITS.encode(), without)
    assert not raises("limits", "", without, LIMITS.encode())
    assert limits.parse(limits.render(limits.parse(LIMITS.encode(), "f")).encode(), "f").client_of(
        "simulated"
    ) == WHO  # fmt: skip
