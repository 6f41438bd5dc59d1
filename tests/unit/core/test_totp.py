from pathlib import Path

import pytest

from core import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("time_s", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238_in_six_digits(time_s: int, code: str) -> None:
    assert totp.code(SECRET, totp.step_of(time_s * 1_000_000)) == code


@pytest.mark.parametrize(
    ("off_s", "counts"), [(-29, True), (0, True), (30, True), (91, False), (-91, False)]
)
def test_a_phones_clock_may_be_half_a_minute_off(off_s: int, counts: bool) -> None:
    now_us = 1_111_111_109_000_000
    given = totp.code(SECRET, totp.step_of(now_us))
    match = totp.step_matched(SECRET, given, now_us + off_s * 1_000_000)
    assert match == (totp.step_of(now_us) if counts else None)


def test_a_persons_secret_is_made_once_and_is_theirs(tmp_path: Path) -> None:
    ann = totp.secret_of(tmp_path, "ann")
    assert len(ann) == 32
    assert totp.secret_of(tmp_path, "ann") == ann != totp.secret_of(tmp_path, "bert")
    assert totp.path_in(tmp_path, "ann").stat().st_mode & 0o077 == 0
    assert totp.address(ann, "a&b") == (
        f"otpauth://totp/Tickhouse:a%26b?secret={totp.typed(ann)}&issuer=Tickhouse"
    )
