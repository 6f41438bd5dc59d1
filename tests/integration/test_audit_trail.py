"""Tampering, each way a person with all rights in the home could try, and what names it.

A home with two accounts' worth of days: journalled, stored and sealed as live.
"""

import io
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from audit import signing, trail
from audit.export import export, forget_shipped
from audit.stored import sum_of_account
from cli.main import main
from core import audit_log, identity
from core.audit_log import AuditLine, append
from core.clock import ManualClock
from core.contracts.audit import AuditEvent, chained
from core.contracts.order import OrderEvent
from core.errors import SettingsError
from core.sections import ReportSettings
from core.settings import Settings
from execution.journal import journal, segments
from execution.journal.journal import Journal
from execution.journal.reader import PlacedEvent, journals, placed_events
from execution.journal.segments import path_of
from execution.risk.controls import problem_of
from tests.support.orders import at, filled, journalled, store
from tests.support.signed_home import SignedHome
from tests.support.warehouse_server import Warehouse, empty_tables, warehouse

__all__ = ["warehouse"]
NOW = ManualClock(at("2026-03-05 03:00"))
DAYS = (date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4))


class Home(NamedTuple):
    settings: Settings
    warehouse: Warehouse
    public_key: Path

    @property
    def journal(self) -> Path:
        return self.settings.home_path / "execution" / "acc1" / "journal"

    @property
    def log(self) -> Path:
        return audit_log.path_in(self.settings.home_path)

    def sources(self) -> Iterator[trail.Source]:
        for name, path in journals(self.settings.home_path).items():
            live = path.parent.parent.name == "execution"
            yield trail.Source(name, path, placed_events, live, segments.pieces)

    def breaks(self, kept: Path | None = None) -> list[str]:
        client = self.warehouse.client
        verification = trail.verify_home(
            self.settings, self.sources(), client, kept or trail.archive(self.settings),
            self.public_key, NOW,
        )  # fmt: skip
        return [str(b) for b in verification.breaks]


def events_of(day: date, first: int) -> list[OrderEvent]:
    begin = at(f"{day} 10:00")
    return [e for n in range(20) for e in filled(first + n, begin + n * 1_000_000)]


@pytest.fixture
def home(warehouse: Warehouse, tmp_path: Path) -> Iterator[Home]:
    empty_tables(warehouse)
    key = tmp_path / "vault" / "seal.pem"
    signing.generate(key, tmp_path / "home")
    settings = Settings(
        home=str(tmp_path / "home"),
        clickhouse=warehouse.settings,
        reports=ReportSettings(signing_key=str(key)),
    )
    sealed = Home(settings, warehouse, key.with_name("seal.pem.pub"))
    sealed.journal.parent.mkdir(parents=True)
    planned = [e for n, day in enumerate(DAYS) for e in events_of(day, n * 100)]
    store(warehouse.settings, journalled(sealed.journal, planned))
    for day in DAYS:
        now = at(f"{day} 12:00")
        line = AuditLine(
            ts_us=now, by="ann", authenticated=True, action="override", detail="more",
            subject="max_lots", reason="news", payload={"value": 2},
        )  # fmt: skip
        append(sealed.settings.home_path, line)
        clock = ManualClock(at(f"{day} 23:59:59") + 1_000_000)
        trail.seal_home(settings, sealed.sources(), day, key, clock)
    export(warehouse.client, warehouse.settings, sealed.settings.home_path)
    assert sealed.breaks() == []
    yield sealed
    for path in (tmp_path / "home").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def mutate(home: Home, sql: str) -> None:
    home.warehouse.client.command(sql, settings={"mutations_sync": 2})


def test_a_changed_value_in_the_warehouse_is_named_with_both_values(home: Home) -> None:
    mutate(home, "ALTER TABLE order_event UPDATE price = 4999.0 WHERE seq = 33")
    [problem] = home.breaks()
    assert problem.startswith("orders acc1, event 33: warehouse: the row was changed")
    assert "price is 4999.0, journalled 5000.25" in problem


def test_a_row_put_over_another_by_the_replacing_engine_is_named(home: Home) -> None:
    event = next(e for e in journal.events(home.journal) if e.seq == 12)
    store(home.warehouse.settings, [replace(event, volume=0.5)])
    [problem] = home.breaks()
    assert "event 12: warehouse: the row was changed: volume is 0.5, journalled 1.0" in problem


@pytest.mark.parametrize("table", ["order_event", "audit_event"])
def test_a_deleted_row_is_named(home: Home, table: str) -> None:
    mutate(home, f"ALTER TABLE {table} DELETE WHERE seq = 2")
    stream = "orders acc1" if table == "order_event" else "people"
    assert home.breaks() == [
        f"{stream}, event 2: warehouse: the row is missing; the next is number 3"
    ]


def test_two_rows_that_changed_places_are_named(home: Home) -> None:
    first, second = (e for e in journal.events(home.journal) if e.seq in (40, 41))
    store(home.warehouse.settings, [replace(first, seq=41), replace(second, seq=40)])
    assert "orders acc1, event 40: warehouse: the row was changed" in home.breaks()[0]


def rewritten(home: Home, change: Callable[[OrderEvent], OrderEvent]) -> None:
    """All of the past anew: fresh chain, in the journal and in the warehouse."""
    events = [change(e) for e in journal.events(home.journal)]
    home.journal.unlink()
    fresh = journalled(home.journal, [replace(e, previous_hash="", hash="") for e in events])
    home.warehouse.client.command("TRUNCATE TABLE order_event")
    store(home.warehouse.settings, fresh)


def test_a_day_rewritten_everywhere_with_fresh_hashes_is_named_by_its_signed_root(
    home: Home,
) -> None:
    second = at(f"{DAYS[1]} 00:00")
    rewritten(home, lambda e: replace(e, price=1.0) if e.ts_init_us >= second else e)
    problems = home.breaks()
    assert [f.split(":")[1].strip() for f in problems] == ["seal 2026-03-03", "seal 2026-03-04"]
    assert "events 61 to 120 of the journal give another root than the one signed" in problems[0]


def test_a_replaced_journal_is_named_by_warehouse_and_seals(home: Home) -> None:
    home.journal.unlink()
    journalled(home.journal, events_of(DAYS[0], 7))
    problems = home.breaks()
    assert any("event 1: warehouse: the row was changed" in f for f in problems)
    assert any("seal 2026-03-02: events 1 to 60" in f for f in problems)
    assert any("sealed up to event 120, but the journal ends at 60" in f for f in problems)
    home.journal.unlink()
    assert "orders acc1: journal: the journal is gone; its days were sealed" in home.breaks()


def test_a_value_changed_in_the_journal_itself_is_named(home: Home) -> None:
    with home.journal.open("r+b") as file:
        content = file.read()
        place = content.index(b"EUIX50", 3_000)
        file.seek(place)
        file.write(b"EUIX51")
    [problem] = home.breaks()
    assert "journal" in problem
    assert "damaged" in problem


def test_a_line_of_the_log_rewritten_with_fresh_hashes_is_named(home: Home) -> None:
    lines = list(audit_log.read(home.log))
    previous, fresh = None, []
    for line in lines:
        previous = chained(replace(line, actor="bob") if line.seq == 2 else line, previous)
        fresh.append(msgspec.json.encode(previous) + b"\n")
    home.log.write_bytes(b"".join(fresh))
    problems = home.breaks()
    assert any(f.startswith("people, event 2: warehouse: the row was changed") for f in problems)
    assert any("people, event 2: seal 2026-03-03" in f for f in problems)


def test_a_log_that_was_deleted_is_named(home: Home) -> None:
    home.log.unlink()
    assert any("people, event 1: warehouse: holds events beyond 0" in f for f in home.breaks())


def test_a_seal_that_was_changed_forged_or_taken_out_is_named(home: Home, tmp_path: Path) -> None:
    archive = trail.archive(home.settings)
    copy = tmp_path / "worm"
    shutil.copytree(archive, copy)
    middle = copy / "2026-03-03"
    export = middle / "orders-acc1.parquet"
    export.chmod(0o644)
    export.write_bytes(export.read_bytes()[:-1])
    assert home.breaks(copy) == [
        "seals: seal 2026-03-03: orders-acc1.parquet was changed after it was sealed"
    ]
    root = middle / "root.json"
    root.chmod(0o644)
    root.write_bytes(root.read_bytes().replace(b'"count": 60', b'"count": 59'))
    assert any("its signature was not made with this key" in f for f in home.breaks(copy))
    shutil.rmtree(middle)
    assert home.breaks(copy) == [
        "seals: seal 2026-03-04: the seal before it is another, or is gone"
    ]


def test_journals_of_several_accounts_and_runs_are_each_compared_with_their_own_rows(
    home: Home,
) -> None:
    """One account went on under another run's name; another account; a replay of the same name."""
    day = at("2026-03-04 15:00")
    later = [replace(e, run_id="autumn") for e in filled(500, day)]
    other = [replace(e, account="acc2") for n in range(5) for e in filled(700 + n, day)]
    replayed = [replace(e, run_id="r1", mode="replay") for e in filled(900, day)]
    store(home.warehouse.settings, journalled(home.journal, later))
    folders = {"acc2": other, "r1": replayed}
    for name, events in folders.items():
        place = "runs" if name == "r1" else "execution"
        path = home.settings.home_path / place / name / "journal"
        path.parent.mkdir(parents=True)
        store(home.warehouse.settings, journalled(path, events))
    assert home.breaks() == []
    mutate(home, "ALTER TABLE order_event UPDATE volume = 9 WHERE account = 'acc2' AND seq = 4")
    mutate(home, "ALTER TABLE order_event DELETE WHERE run_id = 'autumn' AND seq = 182")
    mutate(home, "ALTER TABLE order_event UPDATE price = 9 WHERE run_id = 'r1' AND seq = 2")
    assert [b.split(":")[0] for b in home.breaks()] == [
        "orders acc1, event 182", "orders acc2, event 4", "orders r1, event 2",
    ]  # fmt: skip


def test_a_key_inside_the_home_is_refused(home: Home) -> None:
    inside = home.settings.home_path / "key.pem"
    with pytest.raises(SettingsError, match="must live outside"):
        signing.generate(inside, home.settings.home_path)


def test_what_is_on_its_way_is_no_break_and_is_said(home: Home) -> None:
    late = filled(900, NOW.now_us() - 1_000_000)
    journalled(home.journal, late)
    client = home.warehouse.client
    verification = trail.verify_home(
        home.settings, home.sources(), client, trail.archive(home.settings),
        home.public_key, NOW,
    )  # fmt: skip
    assert verification.breaks == ()
    assert verification.verdicts[1].pending == 3


def test_what_nobody_brought_over_is_no_break_however_old_and_verifying_brings_it(
    home: Home,
) -> None:
    folder, client = home.settings.home_path, home.warehouse.client
    append(folder, AuditLine(1, "ann", True, "promote", "champion", reason="better"))
    archive = trail.archive(home.settings)
    verified = trail.verify_home(
        home.settings, home.sources(), client, archive, home.public_key, NOW
    )
    assert verified.breaks == ()
    assert verified.verdicts[0].pending == 1
    assert client.query("SELECT max(seq) FROM audit_event").result_rows == [(4,)]
    assert home.breaks() == []


def test_a_row_that_was_brought_over_and_is_gone_from_the_end_is_named(home: Home) -> None:
    mutate(home, "ALTER TABLE audit_event DELETE WHERE seq = 3")
    assert home.breaks() == ["people, event 3: warehouse: the row is missing, and none follows"]
    forget_shipped(home.settings.home_path)  # as after restoring an older warehouse
    assert home.breaks() == []


def test_shipping_twice_or_from_two_processes_stores_each_event_once(home: Home) -> None:
    client = home.warehouse.client
    assert export(client, home.warehouse.settings, home.settings.home_path) == 0
    append(home.settings.home_path, AuditLine(1, "ann", True, "resume", "on", reason="calm"))
    assert export(client, home.warehouse.settings, home.settings.home_path) == 1
    rows = client.query("SELECT seq, reason FROM audit_event ORDER BY seq").result_rows
    assert rows == [(1, "news"), (2, "news"), (3, "news"), (4, "calm")]


def test_an_unfinished_last_line_is_cut_off_and_an_unchained_log_is_set_aside(
    tmp_path: Path,
) -> None:
    line = AuditLine(1, "ann", False, "resume", "on")
    append(tmp_path, line)
    path = audit_log.path_in(tmp_path)
    with path.open("ab") as file:
        file.write(b'{"stream":"people","se')
    assert append(tmp_path, line).seq == 2
    assert [e.seq for e in audit_log.read(path)] == [1, 2]
    path = audit_log.path_in(tmp_path / "old")
    path.parent.mkdir()
    path.write_bytes(b'{"ts_us":1,"by":"old","authenticated":true,"action":"a","detail":"d"}\n')
    assert append(path.parent, line).seq == 1
    assert len(list(path.parent.glob("audit-unchained-*.log"))) == 1
    assert isinstance(next(audit_log.read(path)), AuditEvent)


def remembered(home: Home) -> None:
    """Verify, and note that all agreed, as the command does."""
    assert home.breaks() == []
    trail.remember(
        home.settings, home.sources(), home.warehouse.client, trail.archive(home.settings),
        home.public_key, "ann", NOW,
    )  # fmt: skip


class Counted:
    """How many events of journals were read."""

    def __init__(self, home: Home) -> None:
        self.count, self._home = 0, home

    def sources(self) -> Iterator[trail.Source]:
        def read(path: Path, after: int) -> Iterator[PlacedEvent]:
            for placed in placed_events(path, after):
                self.count += 1
                yield placed

        return (source._replace(read=read) for source in self._home.sources())


def read_by_verify(home: Home, *, full: bool = False) -> int:
    counted = Counted(home)
    result = trail.verify_home(
        home.settings, counted.sources(), home.warehouse.client, trail.archive(home.settings),
        home.public_key, NOW, full=full,
    )  # fmt: skip
    assert result.breaks == ()
    orders = result.verdicts[1]
    assert (orders.events, orders.sealed, orders.stored) == (len(list(_events(home))), 3, 180)
    return counted.count


def _events(home: Home) -> Iterator[OrderEvent]:
    return journal.events(home.journal)


def test_what_was_sealed_and_found_whole_is_not_walked_again(home: Home) -> None:
    everything = read_by_verify(home)
    assert everything >= 180
    remembered(home)
    assert read_by_verify(home) <= 2  # whose account it is
    assert read_by_verify(home, full=True) == everything
    lines = [e for e in audit_log.read(home.log) if e.action == "verify"]
    remembered(home)
    assert [e for e in audit_log.read(home.log) if e.action == "verify"] == lines  # said once
    assert len(lines) == 1


def test_after_what_was_found_whole_a_change_before_it_is_named_all_the_same(home: Home) -> None:
    remembered(home)
    mutate(home, "ALTER TABLE order_event UPDATE price = 4999.0 WHERE seq = 33")
    [result] = home.breaks()
    assert "event 33: warehouse: the row was changed: price is 4999.0" in result


def test_after_what_was_found_whole_a_journal_changed_before_it_is_named(home: Home) -> None:
    remembered(home)
    content = bytearray(home.journal.read_bytes())
    content[5_000] ^= 1
    home.journal.write_bytes(content)
    assert "journal: " in home.breaks()[0]
    assert "damaged" in home.breaks()[0]


def test_a_memory_that_was_forged_with_the_log_is_not_used(home: Home) -> None:
    remembered(home)
    mutate(home, "ALTER TABLE order_event UPDATE price = 4999.0 WHERE seq = 33")
    export(home.warehouse.client, home.warehouse.settings, home.settings.home_path)
    lines = list(audit_log.read(home.log))
    honest = msgspec.json.decode(lines[-1].detail)
    client = home.warehouse.client
    honest["whole"]["orders acc1"]["rows"] = sum_of_account(client, "acc1", 180)
    text = msgspec.json.encode(honest).decode()
    forged = chained(replace(lines[-1], detail=text, hash=""), lines[-2])
    home.log.write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in [*lines[:-1], forged]))
    result = home.breaks()
    assert any(text.startswith("people") for text in result)
    assert any("event 33: warehouse: the row was changed" in text for text in result)


def test_a_journal_of_segments_is_sealed_and_verified_like_one_file(home: Home) -> None:
    opened = Journal(home.journal)
    opened.rotate()
    opened.close()
    coming = date(2026, 3, 5)
    events = journalled(home.journal, events_of(coming, 500))
    store(home.warehouse.settings, events)
    clock = ManualClock(at("2026-03-06 00:00"))
    key = Path(home.settings.reports.signing_key)
    root = trail.seal_home(home.settings, home.sources(), coming, key, clock)
    [orders] = [s for s in root.streams if s.name == "orders acc1"]
    assert orders.count == 60
    copied = trail.archive(home.settings) / str(coming) / "orders-acc1.journal"
    assert events[-1].hash.encode() in copied.read_bytes()
    assert home.breaks() == []
    remembered(home)
    path_of(home.journal, 2).unlink()  # the journal ends with the day before
    assert any("sealed up to event 240" in text for text in home.breaks())


def test_signed_controls_are_brought_over_and_a_shortened_chain_is_named(home: Home) -> None:
    """The copy outside the home is that machine's own; the warehouse is a second witness."""
    signed = SignedHome(home.settings.home_path.parent, ("ann", "bob"), "firm")
    signed.sign("limits", b'version = "a"\n[limits]\nmax_lots = 0.5\n')
    signed.approve(signed.sign("exits", b"{}").number, "bob")
    assert home.breaks() == []
    rows = home.warehouse.client.query(
        "SELECT number, kind, base, raises, actor FROM control_version ORDER BY number"
    ).result_rows
    assert list(rows) == [
        (1, "genesis", 0, False, "ann"), (2, "limits", 0, False, "ann"),
        (3, "exits", 0, True, "ann"), (4, "approve", 3, False, "bob"),
    ]  # fmt: skip
    assert home.breaks() == []  # each entry once
    chain = signed.place.chain
    lines = chain.read_bytes().splitlines(keepends=True)
    chain.write_bytes(b"".join(lines[:3]))
    assert "controls, event 4: warehouse: the chain ends at entry 3" in home.breaks()[-1]
    chain.write_bytes(b"".join(lines[:3]) + b"{}\n")
    assert any("no entry" in broken for broken in home.breaks())


def test_a_limits_file_that_nobody_signed_is_named(home: Home) -> None:
    signed = SignedHome(home.settings.home_path.parent)
    settings = replace(home.settings, controls=signed.settings)
    assert problem_of(settings, signed.clock) == ""
    (signed.home / "limits.toml").write_text('version = "e"\n[limits]\nmax_lots = 9.0\n')
    verified = trail.verify_home(
        settings, home.sources(), home.warehouse.client, trail.archive(settings),
        home.public_key, NOW, problem_of(settings, signed.clock),
    )  # fmt: skip
    [broken] = verified.breaks
    assert "limits.toml is not signed and not obeyed" in str(broken)


def test_users_that_no_command_changed_are_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(home.settings.home_path))
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert main(["users", "add", "root", "--role", "admin"]) == 0
    assert home.breaks() == []
    path = identity.path_in(home.settings.home_path)
    path.write_bytes(path.read_bytes().replace(b'"max_seconds": 0', b'"max_seconds": 9'))
    (problem,) = home.breaks()
    assert problem.startswith("users, event ")
    assert "changed by no command" in problem
