"""What signed entries mean: who may, how many, from when, until when."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from core.controls import signing
from core.controls.entry import Entry, line, sha256, signed_bytes
from core.controls.fold import Controls, fold
from core.controls.signing import Draft
from core.errors import SettingsError
from execution.risk.overrides import Override
from tests.support.signed_home import DAY_US, END_US, HOUR_US, SignedHome


@pytest.fixture
def firm(tmp_path: Path) -> SignedHome:
    return SignedHome(tmp_path, ("ann", "bob"), "firm")


@pytest.fixture
def alone(tmp_path: Path) -> SignedHome:
    return SignedHome(tmp_path)


def test_one_person_lowers_at_once_and_two_raise(firm: SignedHome) -> None:
    firm.limits("max_lots = 0.5")
    assert firm.max_lots() == "0.5"
    entry = firm.limits("max_lots = 2.0")
    assert firm.max_lots() == "0.5"
    firm.approve(entry.number, "bob")
    assert firm.max_lots() == "2.0"
    held = firm.now().version("limits", "", firm.clock.now_us())
    assert held is not None
    assert (held.entry.by, held.approved_by, held.raises) == ("ann", "bob", True)


def test_an_approver_does_not_approve_himself(firm: SignedHome) -> None:
    entry = firm.limits("max_lots = 2.0")
    with pytest.raises(SettingsError, match="ann approves himself"):
        firm.approve(entry.number, "ann")
    assert entry.number in firm.now().waiting
    firm.keys["eve"] = firm.keys["ann"]  # nor by a second name
    second_name = firm.person("eve", "bob").number
    with pytest.raises(SettingsError, match="another person's"):
        firm.approve(second_name, "ann")


def test_alone_what_raises_waits_a_day(alone: SignedHome) -> None:
    alone.limits("max_lots = 2.0")
    alone.wait(DAY_US - 1)
    assert alone.max_lots() == ""
    alone.wait(1)
    assert alone.max_lots() == "2.0"


def test_what_waits_can_be_withdrawn_and_lapses_when_its_base_is_replaced(
    alone: SignedHome,
) -> None:
    alone.withdraw(alone.limits("max_lots = 2.0").number, "ann")
    waits = alone.limits("max_lots = 3.0")
    alone.limits("max_lots = 0.5")  # lowers, at once
    alone.wait(2 * DAY_US)
    assert alone.max_lots() == "0.5"
    assert "another version took effect" in alone.now().void[waits.number]


def test_a_firm_cannot_choose_the_delay_by_itself(firm: SignedHome) -> None:
    entry = firm.policy("single")
    firm.limits("max_lots = 2.0")
    firm.wait(2 * DAY_US)
    assert (firm.now().firm, firm.max_lots()) == (True, "")
    firm.approve(entry.number, "bob")
    assert not firm.now().firm


def test_one_person_is_no_firm(alone: SignedHome) -> None:
    with pytest.raises(SettingsError, match="two people"):
        alone.policy("firm")


def test_a_second_person_of_a_home_of_one_waits_a_day_and_then_spares_the_delay(
    alone: SignedHome,
) -> None:
    alone.person("bob")
    with pytest.raises(SettingsError, match="bob may not sign"):
        alone.limits("max_lots = 0.5", "bob")
    alone.wait(DAY_US)
    alone.approve(alone.limits("max_lots = 2.0").number, "bob")
    assert alone.max_lots() == "2.0"


def test_a_revoked_key_signs_nothing_more_and_what_waits_with_it_is_void(firm: SignedHome) -> None:
    firm.limits("max_lots = 0.7", "bob")
    waits = firm.limits("max_lots = 2.0", "bob")
    firm.person("bob", "ann", revoked=True)  # one signature: it lowers
    with pytest.raises(SettingsError, match="bob may not sign"):
        firm.limits("max_lots = 0.1", "bob")
    assert "bob" in firm.now().void[waits.number]
    assert firm.max_lots() == "0.7"  # what was signed before holds


def test_a_lost_key_is_replaced_by_others(firm: SignedHome) -> None:
    firm.person("bob", "ann", revoked=True)
    firm.keys["bob"] = Ed25519PrivateKey.generate()
    entry = firm.person("bob", "ann")
    assert entry.number in firm.now().waiting  # one person alone brings nobody in


def test_an_approval_of_a_strategy_ends(firm: SignedHome) -> None:
    with pytest.raises(SettingsError, match="no end"):
        firm.sign("strategy", b"code", subject="mine")
    end = firm.clock.now_us() + HOUR_US
    entry = firm.sign("strategy", b"code", subject="mine", until_us=end)
    firm.approve(entry.number, "bob")
    now = firm.now()
    assert now.version("strategy", "mine", end - 1) is not None
    assert now.version("strategy", "mine", end) is None


def test_an_approval_can_be_taken_back_by_one_and_limits_only_replaced(firm: SignedHome) -> None:
    entry = firm.sign("strategy", b"code", subject="mine", until_us=END_US)
    firm.approve(entry.number, "bob")
    firm.withdraw(entry.number, "bob")
    assert firm.now().version("strategy", "mine", firm.clock.now_us()) is None
    with pytest.raises(SettingsError, match="nothing that can be withdrawn"):
        firm.withdraw(firm.limits("max_lots = 0.5").number, "ann")


def override(firm: SignedHome, value: float, by: str = "ann") -> Entry:
    now = firm.clock.now_us()
    content = Override(
        rule="max_lots", value=value, account="simulated", symbol="", by=by, reason="test",
        from_us=now, until_us=now + HOUR_US,
    )  # fmt: skip
    return firm.sign("override", msgspec.json.encode(content), by, "", now + HOUR_US)


def test_an_override_is_judged_by_the_limits_in_force_and_ends_with_them(firm: SignedHome) -> None:
    firm.limits("max_lots = 0.5")
    assert override(firm, 0.6).number in firm.now().waiting
    override(firm, 0.4)
    [held] = firm.now().subjects("override", firm.clock.now_us())
    assert held.needs == ""
    firm.limits("max_lots = 0.3")  # else the 0.4 of one person would raise it
    assert firm.now().subjects("override", firm.clock.now_us()) == []


@pytest.mark.parametrize(("people", "waits"), [(("ann",), False), (("ann", "bob"), True)])
def test_a_return_to_signed_limits_needs_two_in_a_firm_only(
    tmp_path: Path, people: tuple[str, ...], waits: bool
) -> None:
    home = SignedHome(tmp_path, people, "firm" if waits else "single")
    assert (home.sign("release", b"{}").number in home.now().waiting) is waits


def test_a_clock_that_was_set_back_signs_nothing_and_brings_nothing_back(
    alone: SignedHome,
) -> None:
    alone.limits("max_lots = 0.5")
    alone.clock = type(alone.clock)(alone.clock.now_us() - DAY_US)
    assert alone.max_lots() == "0.5"
    with pytest.raises(SettingsError, match="clock stands before"):
        alone.limits("max_lots = 0.4")


def lines_of(home: SignedHome) -> list[bytes]:
    return home.place.chain.read_bytes().splitlines(keepends=True)


def read(home: SignedHome, lines: list[bytes]) -> Controls:
    return fold(b"".join(lines), home.place.content, home.judge, home.clock.now_us())


def test_a_changed_line_ends_the_reading_there(firm: SignedHome) -> None:
    firm.limits("max_lots = 0.5")
    firm.limits("max_lots = 0.4")
    for at in range(3):
        lines = lines_of(firm)
        entry = msgspec.json.decode(lines[at], type=Entry)
        lines[at] = line(replace(entry, reason="another"))
        controls = read(firm, lines)
        assert f"entry {at + 1}: its signature" in controls.problem
        assert len(controls.entries) == at


def test_lines_do_not_change_places_and_no_stranger_adds_one(firm: SignedHome) -> None:
    firm.limits("max_lots = 0.5")
    first, second = lines_of(firm)
    assert "does not follow" in read(firm, [first, second, second]).problem
    assert "does not follow" in read(firm, [second]).problem
    stranger, now = Ed25519PrivateKey.generate(), firm.now()
    draft = Draft("limits", "", b"x", "eve", "")
    forged = signing.signed(now, draft, stranger, firm.clock.now_us())
    assert "eve may not sign" in read(firm, [first, second, line(forged)]).problem
    forged = signing.signed(now, draft._replace(by="ann"), stranger, firm.clock.now_us())
    assert "key of ann" in read(firm, [first, second, line(forged)]).problem


def test_a_signer_cannot_say_that_it_lowers(firm: SignedHome) -> None:
    """The program that signs is the signer's own: whoever reads judges."""
    content = b'version = "t"\n[limits]\nmax_lots = 99.0\n'
    firm.place.content_path(sha256(content)).write_bytes(content)
    now = firm.now()
    honest = signing.signed(now, Draft("limits", "", content, "ann", ""), firm.keys["ann"],
                            firm.clock.now_us())  # fmt: skip
    assert honest.raises
    lying = replace(honest, raises=False, signature="")
    lying = replace(lying, signature=firm.keys["ann"].sign(signed_bytes(lying)).hex())
    controls = read(firm, [*lines_of(firm), line(lying)])
    assert not controls.problem
    assert lying.number in controls.waiting


def test_a_content_that_was_swapped_is_none(firm: SignedHome) -> None:
    entry = firm.limits("max_lots = 0.5")
    firm.place.content_path(entry.content).write_bytes(b'version = "t"\n[limits]\nmax_lots = 9.0')
    assert firm.max_lots() == "0.5"  # from the copy outside
    (firm.place.trust / "contents" / entry.content).unlink()
    assert "nowhere to be read" in firm.now().problem
    assert entry.content == hashlib.sha256(b'version = "t"\n[limits]\nmax_lots = 0.5\n').hexdigest()
