"""People in a vault: pseudonyms outside, accesses chained, a destroyed key destroyed for good."""

import stat
from datetime import date
from pathlib import Path

import pytest

from audit.privacy import cases
from audit.privacy.vault import Vault
from audit.retention import holds
from audit.retention.holds import Hold
from core import audit_log, pseudonyms
from core.clock import ManualClock
from core.errors import InputError, SettingsError
from core.sections import PrivacySettings
from core.settings import Settings

NAME = "Zebulon Quartermain"
FIELDS = {"name": NAME, "birth_date": "1961-04-12"}
DAY_US = 86_400_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    privacy = PrivacySettings(vault=str(tmp_path / "vault"))
    return Settings(home=str(tmp_path / "home"), privacy=privacy)


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(settings, ManualClock(DAY_US), "p-0123456789ab", known=True)


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def actions(settings: Settings) -> list[tuple[str, str, str]]:
    log = audit_log.read(audit_log.path_in(settings.home_path))
    return [(event.action, event.subject, event.actor) for event in log]


def test_nothing_of_a_person_can_be_read_outside_the_vault_and_every_access_is_chained(
    settings: Settings, vault: Vault, tmp_path: Path
) -> None:
    who = vault.add(FIELDS, ["zebulon"], "a new client")
    assert vault.reveal(who, "a question of the authority") == FIELDS
    vault.change(who, {"birth_date": "1961-04-13"}, "a slip")
    assert vault.reveal(who, "to see")["birth_date"] == "1961-04-13"
    by = "p-0123456789ab"
    said = ("identity added", "identity revealed", "identity revealed", "identity changed",
            "identity revealed")  # fmt: skip
    assert actions(settings) == [(action, who, by) for action in said]
    for value in (NAME, "Quartermain", "1961-04", "zebulon"):
        assert value.encode() not in everything(tmp_path)
    assert b"birth_date" in everything(settings.home_path)  # which field was touched is said
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "vault").rglob("*") if p.is_file()}
    assert modes == {0o600}


def test_a_name_that_is_typed_leads_to_the_pseudonym_and_what_is_unknown_stays(
    settings: Settings, vault: Vault
) -> None:
    home = settings.home_path
    assert pseudonyms.resolved(settings.privacy, home, "zebulon") == "zebulon"
    who = vault.add(FIELDS, ["Zebulon", "zq"], "a new client")
    for name in ("zebulon", "ZQ", who):
        assert pseudonyms.resolved(settings.privacy, home, name) == who
    assert pseudonyms.resolved(settings.privacy, home, "ann") == "ann"
    assert pseudonyms.resolved(PrivacySettings(), home, "zebulon") == "zebulon"
    with pytest.raises(SettingsError, match="leads to somebody"):
        vault.add({"name": "Another"}, ["ZEBULON"], "a new client")
    with pytest.raises(SettingsError, match="by a pseudonym"):
        pseudonyms.check_new(settings.privacy, home, "ann")


def test_an_erased_person_is_gone_for_good_also_from_a_copy_of_what_was_encrypted(
    settings: Settings, vault: Vault, tmp_path: Path
) -> None:
    who = vault.add(FIELDS, ["zebulon"], "a new client")
    copy = (tmp_path / "vault" / "people" / who).read_bytes()
    vault.erase(who, "case request-1", "article 17(1)")
    assert pseudonyms.resolved(settings.privacy, settings.home_path, "zebulon") == "zebulon"
    assert (tmp_path / "vault" / "people" / who).read_bytes() == copy
    assert not (tmp_path / "vault" / "keys" / who).exists()
    for act in (vault.reveal, lambda w, r: vault.erase(w, r, "")):
        with pytest.raises(InputError, match="was erased"):
            act(who, "again")
    other = vault.add({"name": "Another"}, [], "a new client")
    (tmp_path / "vault" / "people" / other).write_bytes(copy)  # another's fields under this key
    with pytest.raises(InputError, match="not as it was written"):
        vault.reveal(other, "to see")


def test_what_cannot_be_is_refused_and_not_noted(settings: Settings, vault: Vault) -> None:
    for fields, reason, problem in (
        ({}, "why", "no field"),
        ({"name": ""}, "why", "a value"),
        ({"full name": "x"}, "why", "plain name"),
        ({"name": "Zebulon"}, "asked by zebulon", "the reason names the person"),
    ):
        with pytest.raises(SettingsError, match=problem):
            vault.add(fields, [], reason)
    with pytest.raises(SettingsError, match="nobody of the vault"):
        vault.reveal("p-000000000000", "why")
    with pytest.raises(SettingsError, match="as p-"):
        vault.reveal("../keys", "why")
    assert not audit_log.path_in(settings.home_path).exists()
    inside = Settings(home=settings.home, privacy=PrivacySettings(vault=f"{settings.home}/vault"))
    with pytest.raises(SettingsError, match="outside the home"):
        Vault(inside, ManualClock(), "ann")
    with pytest.raises(SettingsError, match="is not set"):
        Vault(Settings(home=settings.home), ManualClock(), "ann")


def test_a_request_is_a_case_with_a_day_and_an_outcome_that_stays(
    settings: Settings, vault: Vault
) -> None:
    clock = ManualClock(DAY_US)
    who = vault.add(FIELDS, [], "a new client")
    case = cases.open_case(settings, "erasure", who, "ann", "a letter", True, clock)
    assert (case.status, case.pseudonym, case.opened, case.due) == (
        "open", who, date(1970, 1, 2), date(1970, 2, 1),
    )  # fmt: skip
    assert not case.is_late(date(1970, 2, 1))
    assert case.is_late(date(1970, 2, 2))
    cases.step(settings, case, "noted", "ann", "identified by passport", True, clock)
    with pytest.raises(SettingsError, match="asks for erasure"):
        cases.step(settings, case, "exported", "ann", "x", True, clock)
    cases.step(
        settings=settings, case=case, what="refused", by="ann", reason="x", known=True, clock=clock,
        basis="article 17(3)(b): orders",
    )  # fmt: skip
    now = cases.named(settings.home_path, case.name)
    assert (now.status, now.basis) == ("refused", "article 17(3)(b): orders")
    assert now.notes == ("ann: identified by passport",)
    with pytest.raises(SettingsError, match="was refused already"):
        cases.step(settings, now, "erased", "ann", "x", True, clock)
    with pytest.raises(SettingsError, match="no case 'request-0'"):
        cases.named(settings.home_path, "request-0")


def test_a_hold_on_somebody_who_was_erased_is_a_break(settings: Settings, vault: Vault) -> None:
    who = vault.add(FIELDS, [], "a new client")
    vault.erase(who, "case request-1", "article 17(1)")
    hold = Hold("case-1", (who,), None, None, "ann", "a claim", 2 * DAY_US)
    late = holds.place(settings, hold, {}, {}, known=True)
    assert late == [f"{who}: was erased on 1970-01-02 by p-0123456789ab"]
    every = hold._replace(name="case-2", on=("all",))
    assert holds.place(settings, every, {}, {}, known=True) == []
