"""What is remembered of sign-ins: by all processes, and never more than it must be."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.clock import ManualClock
from core.sign_ins import SESSION_US, SignIns

NOW_US = 1_770_000_000_000_000


def test_a_session_is_known_to_all_and_its_token_is_not_kept(tmp_path: Path) -> None:
    clock = ManualClock(NOW_US)
    token, session = SignIns(tmp_path, clock).begin("ann", "s")
    other = SignIns(tmp_path, clock)
    assert other.session(token) == session
    assert other.session(token + "x") is None
    assert other.session("\ud800") is None
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [content for content in kept if token.encode() in content]
    other.end(token)
    assert SignIns(tmp_path, clock).session(token) is None


def test_a_session_is_renewed_for_eight_hours_and_written_once_a_minute(tmp_path: Path) -> None:
    clock = ManualClock(NOW_US)
    kept = SignIns(tmp_path, clock)
    token, _ = kept.begin("ann", "s")
    path = tmp_path / "sign-in" / "state.json"
    before = path.stat().st_ino
    clock.advance(NOW_US + 59_000_000)
    kept.renew(token)
    assert path.stat().st_ino == before
    for minute in range(10, 8 * 60, 10):
        clock.advance(NOW_US + minute * 60_000_000)
        kept.renew(token)
        assert kept.session(token) is not None
    clock.advance(NOW_US + 8 * 3_600_000_000 + 1)
    assert kept.session(token) is None


def test_a_clock_that_went_back_ends_sessions_and_locks_nobody_out(tmp_path: Path) -> None:
    late, early = ManualClock(NOW_US + 10**12), ManualClock(NOW_US)
    token, _ = SignIns(tmp_path, late).begin("ann", "s")
    for _ in range(20):
        SignIns(tmp_path, late).failed("bob")
    kept = SignIns(tmp_path, early)
    assert kept.session(token) is None
    assert kept.wait_s("bob") == 60


def test_a_code_counts_once_and_only_forwards(tmp_path: Path) -> None:
    kept = SignIns(tmp_path, ManualClock(NOW_US))
    with ThreadPoolExecutor(8) as pool:  # all at once: one of them
        counted = list(pool.map(lambda _: kept.use_code("ann", 100), range(8)))
    assert sorted(counted) == [False] * 7 + [True]
    assert not kept.use_code("ann", 99)
    assert kept.use_code("bob", 100)


def test_a_damaged_memory_lets_nobody_in_and_takes_no_code_again(tmp_path: Path) -> None:
    clock = ManualClock(NOW_US)
    token, _ = SignIns(tmp_path, clock).begin("ann", "s")
    path = tmp_path / "sign-in" / "state.json"
    path.write_bytes(path.read_bytes().replace(b'"ann"', b'"eve"'))
    kept = SignIns(tmp_path, clock)
    assert kept.session(token) is None
    step = NOW_US // 30_000_000
    assert not kept.use_code("ann", step)
    assert kept.use_code("ann", step + 2)


def test_it_stays_small_whoever_tries(tmp_path: Path) -> None:
    clock = ManualClock(NOW_US)
    kept = SignIns(tmp_path, clock)
    tokens = [kept.begin(f"u{n}", "s")[0] for n in range(3)]
    clock.advance(NOW_US + SESSION_US + 1)
    kept.begin("ann", "s")
    content = (tmp_path / "sign-in" / "state.json").read_text()
    assert "u1" not in content
    assert all(kept.session(token) is None for token in tokens)
