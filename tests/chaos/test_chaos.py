"""Nine random faults on the real processes break no promise; the promises notice what would."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contracts.order import EventKind as Kind
from core.contracts.signal import signal_id
from execution.journal.journal import Journal
from tests.chaos import promises
from tests.chaos.faults import KINDS, LINKS, PROCESSES, faults
from tests.chaos.people import Halt
from tests.chaos.proxy import Proxy
from tests.chaos.run import Plan, Result, is_at_rest, run
from tests.support.traded_journal import trade

SEED = 1856


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    """One small run, for all tests of this module."""
    logging.disable(logging.WARNING)
    try:
        yield run(Plan(SEED, faults(SEED, 9), waiting=3), tmp_path_factory.mktemp("chaos"))
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.process
@pytest.mark.heavy(suite="chaos")
def test_random_faults_on_real_processes_break_no_promise(result: Result) -> None:
    assert {name: problems for name, problems in result.broken.items() if problems} == {}
    assert sum(result.inflicted.values()) == 9
    assert result.accepted > 0
    waited = [e for e in result.left.events if e.kind is Kind.SUBMITTED and e.reason]
    assert len(waited) > 2
    assert result.kinds["modifying"] > 0


@pytest.mark.process
@pytest.mark.heavy(suite="chaos")
def test_the_promises_notice_what_breaks_them(
    result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = result.left
    with monkeypatch.context() as less_allowed:
        less_allowed.setattr(promises, "FIRM_LOTS", 0.01)
        assert list(promises.no_more_lots_than_the_firm_allows(left))
    first = next(r for r in left.requests if not r["request"]["position"])
    foreign: dict[str, Any] = {**first, "request": {**first["request"], "comment": "f" * 31}}
    naked: dict[str, Any] = {**first, "request": {**first["request"], "sl": 0.0}}
    entry = next(e for e in left.events if e.order_id.startswith(first["request"]["comment"]))
    halt = Halt(entry.ts_init_us - 10_000_000, entry.ts_init_us + 10_000_000)
    less = [e for e in left.events if e.kind is not Kind.FILLED]
    doctored = {
        "no double order": left._replace(requests=[*left.requests, first]),
        "no unjournalled order": left._replace(requests=[foreign]),
        "every position has its stop": left._replace(requests=[naked]),
        "nothing that adds risk while halted": left._replace(halts=[halt]),
        "no change unjournalled": left._replace(
            events=[e for e in left.events if e.kind is not Kind.MODIFYING]
        ),
        "the warehouse has the journal": left._replace(events=less),
    }
    left.book.deals.add(999_999)
    doctored["journal and terminal agree"] = left
    for name, remains in doctored.items():
        assert list(promises.PROMISES[name](remains)), name


def test_a_run_is_at_rest_only_when_the_last_signal_is_journalled(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    trades = iter(trade(1))
    journal = Journal(path)
    for records, at_rest in zip(trades, (False, False, False, True), strict=False):
        journal.append(records)
        journal.sync()
        denied = signal_id("live", "model", "sim", "GBPUSD", -1, 0)
        assert is_at_rest(path, denied) is at_rest, records
    journal.close()


def test_a_seed_gives_the_same_faults_of_every_kind_on_every_target() -> None:
    drawn = list(faults(1, 200))
    assert drawn == list(faults(1, 200))
    assert drawn != list(faults(2, 200))
    assert {f.kind for f in drawn} == set(KINDS)
    assert {f.target for f in drawn} == {*PROCESSES, *LINKS}


def test_the_proxy_passes_on_loses_cuts_and_refuses() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, Proxy(server.getsockname()[1]) as proxy:

        def joined() -> tuple[socket.socket, socket.socket]:
            near = socket.create_connection(("127.0.0.1", proxy.port), 5)
            return near, server.accept()[0]

        near, far = joined()
        with near, far:
            near.sendall(b"one")
            assert far.recv(16) == b"one"
            far.sendall(b"two")
            assert near.recv(16) == b"two"
            proxy.cut()
            assert (near.recv(16), far.recv(16)) == (b"", b"")
        proxy.refuses = True
        with socket.create_connection(("127.0.0.1", proxy.port), 5) as refused:
            assert refused.recv(16) == b""
        proxy.heal()
        proxy.swallows = True
        near, far = joined()
        with far:
            near.sendall(b"lost")
            near.close()
            assert far.recv(16) == b""
