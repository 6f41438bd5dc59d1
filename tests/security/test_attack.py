"""Statements by grammar, as every role, and a crowd of connections: what they did, not what was
thought of them. `make attack` tries a million.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.attack.crowd import Crowd
from tests.attack.grammar import Attack, attack
from tests.attack.siege import Finding, Siege, minimised
from tests.attack.world import World

STATEMENTS, CONNECTIONS, SEED = 5_000, 600, 15
pytestmark = [
    pytest.mark.heavy(suite="security"),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="inotify is Linux's"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("attack"))
    world.start()
    try:
        yield world
    finally:
        world.stop()


def lines_of(batches: Iterator[list[Finding]]) -> list[str]:
    return [str(finding) for findings in batches for finding in findings]


def test_number_n_of_a_seed_is_always_the_same(world: World) -> None:
    first = [attack(world.words, SEED, n) for n in range(100)]
    assert first == [attack(world.words, SEED, n) for n in range(100)]
    assert len({one.sql for one in first}) > 90


def test_a_secret_that_is_told_is_found_and_its_statement_made_short() -> None:
    tokens = ["SELECT", "1", ",", "file", "(", "'x'", ")", "FROM", "t", "WHERE", "1"]
    assert minimised(tokens, lambda some: "file" in some and "(" in some) == ["file", "("]


def test_what_is_opened_or_made_is_noticed(world: World) -> None:
    (world.outside / "made.csv").write_text("1")
    (world.outside / "secret.csv").read_text()
    traces = world.traces()
    assert [t for t in traces if "made.csv is there" in t]
    assert [t for t in traces if "secret.csv was opened" in t]
    (world.outside / "made.csv").unlink()
    assert [t for t in world.traces() if "is gone" in t]


def test_a_reader_who_may_do_everything_is_found_out(world: World) -> None:
    (owner,) = world.admins
    siege, reader = Siege(world, SEED, shortens=False), replace(owner, role="analyst")
    stolen, erased = (
        f"SELECT file('{world.home}/backups/notes.txt')",
        "TRUNCATE TABLE tickhouse.audit_event",
    )
    assert siege.outcome(reader, [Attack("SELECT 1")]) == []
    complaints = siege.outcome(reader, [Attack(stolen)])
    assert complaints == ["a secret was told", f"{world.home}/backups/notes.txt was opened"]
    for role in ("analyst", "recorder", "writer"):
        (complaints,) = siege.outcome(replace(owner, role=role), [Attack(erased)])
        assert "audit_event" in complaints
    assert lines_of(siege.batches([reader], 250))


def test_nobody_does_what_is_not_his_in_thousands_of_statements(world: World) -> None:
    siege, half = Siege(world, SEED), STATEMENTS // 2
    assert not lines_of(siege.batches(world.strangers, half))
    crowd = Crowd(world, held_s=5.0)
    crowd.run(CONNECTIONS)
    assert crowd.answered
    assert not crowd.failed
    world.add_people()
    world.traces()  # the crowd's right clients looked for their own passwords
    assert not lines_of(siege.batches(world.people, STATEMENTS - half, half))
    assert siege.answered[200] > STATEMENTS // 50  # some must be right, or nothing was tried
    assert world.lives
