"""Somebody who works in a home with a vault, asks for erasure, and is nowhere found afterwards."""

import io
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from adapters.clickhouse import archive
from adapters.offsite import backups, sealed, select
from audit import signing
from audit.export import export
from audit.privacy import cases
from audit.records import back
from audit.records import export as records
from cli.main import main
from core import audit_log, identity
from core import settings as core_settings
from core.clock import SystemClock
from core.controls import keys
from core.settings import environment_of
from tests.support import papers
from tests.support.byte_search import places
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="warehouse")]
NAME, ALIAS = "Zebulon Quartermain", "zebulon"
SECRETS = (NAME, "Quartermain", ALIAS, "1961-04-12")
PASSWORD = "a long password of nobody"
Run = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    server = migrated(tmp_path_factory.mktemp("erased") / "home")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def place(server: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of home, vault, keys and what is elsewhere; settings in the environment."""
    place = server.home.parent
    for name in ("elsewhere", "records", "keys", "vault"):
        (place / name).mkdir(exist_ok=True)
    if not (place / "keys" / "seal").exists():
        signing.generate(place / "keys" / "seal", server.home)
        sealed.make_key(place / "keys" / "backup")
    server.reached(monkeypatch)
    monkeypatch.setenv("TICKHOUSE_HOME", str(server.home))
    given = {
        **environment_of("privacy", vault=str(place / "vault")),
        **environment_of("backup", destination=str(place / "elsewhere"),
                         keyfile=str(place / "keys" / "backup")),
        **environment_of("reports", records=str(place / "records"),
                         signing_key=str(place / "keys" / "seal"),
                         public_key=str(place / "keys" / "seal.pub")),
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return place


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*words: str, typed: str = "", code: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert main(list(words)) == code, capsys.readouterr()
        return capsys.readouterr().out

    return ran


def added(run: Run, alias: str, name: str) -> str:
    out = run("privacy", "add", "--field", "name", "--field", "birth_date", "--by", "nobody",
              "--reason", "new", typed=f"{name}\n1961-04-12\n{alias}\n")  # fmt: skip
    return str(re.findall("p-[0-9a-f]{12}", out)[0])


def everything_kept(place: Path, server: Warehouse, label: str) -> None:
    """Backups, exports and seals of this moment; the warehouse's parts on disk."""
    clock, client = SystemClock(), server.client
    settings = msgspec.structs.replace(core_settings.load(), clickhouse=server.settings)
    export(client, settings.clickhouse, settings.home_path)
    archive.backup(client, server.home / "backups" / label, "2026-11-23T00:00:00Z")
    backups.make(client, settings, select.select(settings.backup, server.home), clock)
    records.export(client, settings, datetime.now(UTC).date().replace(day=1), clock)
    client.command("SYSTEM FLUSH LOGS")


def unpacked(place: Path, into: Path) -> None:
    """Every backup and export that is elsewhere, opened."""
    settings = core_settings.load()
    kept_at = select.select(settings.backup, settings.home_path)
    key = backups.key_of(settings.backup, settings.home_path)
    for one in kept_at.listed():
        backups.fetch(kept_at, one.name, key, into / one.name)
    there = records.place_of(settings)
    for kept in back.exports(there, back.public_key(settings), into / "r"):
        for part in kept.root.parts:
            path = into / f"{kept.root.number}-{part.file.replace('/', '-')}"
            path.write_bytes(kept.parquet(part))


def answered(run: Run, who: str, why: tuple[str, ...], server: Warehouse, out: Path) -> None:
    """A request for access: identity and rows of the account, outside the home, then removed."""
    request = run("privacy", "request", who, "--kind", "access", *why)
    case = str(re.findall("request-[0-9a-f]{8}", request)[0])
    refused = ("privacy", "export", case, *why, "--out", str(server.home / "answer"))
    run(*refused, code=2)
    run("privacy", "export", case, *why, "--out", str(out))
    assert msgspec.json.decode((out / "identity.json").read_bytes())["name"] == NAME
    assert "acc-z" in (out / "position.csv").read_text()
    assert who in (out / "audit_event.csv").read_text()
    assert cases.named(server.home, case).status == "exported"
    shutil.rmtree(out)


def with_documents(
    server: Warehouse, run: Run, place: Path, client: str, why: tuple[str, ...]
) -> None:
    """Two documents that say the client's name; searched, given to the client, and due no more."""
    inbox = place.parent / f"{place.name}-inbox"
    inbox.mkdir()
    (inbox / "Featherstonehaugh.pdf").write_bytes(papers.pdf("Ebenezer Featherstonehaugh"))
    (inbox / "b.docx").write_bytes(papers.word("Account of Ebenezer", cell="Featherstonehaugh"))
    new = ("clients", "add-document", client)
    day = ("--issued", str(datetime.now(UTC).date()))
    run("clients", "add", client, *why)
    run(*new, str(inbox / "Featherstonehaugh.pdf"), "--kind", "passport", *day,
        "--expires", "2199-01-01", *why)  # fmt: skip
    run(*new, str(inbox / "b.docx"), "--kind", "bank_statement", *day, *why)
    matches = run("clients", "search", "--by", ALIAS, "--reason", "a question",
                  typed="featherstone")  # fmt: skip
    assert matches.count("Featherstonehaugh") == 2
    access = case_of(run("privacy", "request", client, "--kind", "access", *why))
    run("privacy", "export", access, *why, "--out", str(inbox / "answer"))
    exported = sorted(path.suffix for path in (inbox / "answer" / "documents").iterdir())
    assert exported == [".docx", ".json", ".pdf"]
    everything_kept(place, server, "documents")
    for refusal in ("a client still, with 2 documents", "2 documents are kept until"):
        case = case_of(run("privacy", "request", client, "--kind", "erasure", *why))
        refused = run("privacy", "erase", case, *why, code=1)
        assert "article 17(3)(b): " + refusal in refused
        assert "Directive (EU) 2015/849, article 40(1)(a)" in refused
        if "still" in refusal:
            run("clients", "end", client, *why)
    (server.home / "retention.toml").write_text(years_later("clients"))


def years_later(policy: str, *, trail: bool = False) -> str:
    """A firm whose policy asks for no years stands for the time that has passed."""
    tables = '["audit_event", "order_event", "control_version"]' if trail else "[]"
    files = '["audit log", "controls", "journals", "sealed"]' if trail else '["client documents"]'
    return (
        f'[{policy}]\ntitle = "x"\nsays = "x"\nbasis = "the years are over"\nyears = 0\n'
        'then = "keep"\nversion = "own"\nreviewed = 2026-11-23\nreview = 2027-11-23\n'
        f"tables = {tables}\nfiles = {files}\n"
    )


def case_of(said: str) -> str:
    return str(re.findall("request-[0-9a-f]{8}", said)[0])


def test_after_an_erasure_no_byte_of_the_name_is_anywhere(
    server: Warehouse, place: Path, run: Run, tmp_path: Path
) -> None:
    who = added(run, ALIAS, NAME)
    why = ("--by", ALIAS, "--reason", "a test")
    run("halt", *why)
    run("retention", "hold", "case-1", "--on", "orders", *why)
    run("retention", "release", "case-1", *why)
    run("privacy", "link", who, "--account", "acc-z", *why)
    server.client.command(
        "INSERT INTO position (mode, account, symbol, ts_event, ts_init) VALUES"
        " ('live', 'acc-z', 'EURUSD', now64(6), now64(6))"
    )
    shown = run("privacy", "show", who, *why)
    assert NAME in shown
    everything_kept(place, server, "before")
    answered(run, who, why, server, tmp_path / "answer")
    request = run("privacy", "request", who, "--kind", "erasure", *why)
    case = str(re.findall("request-[0-9a-f]{8}", request)[0])

    refused = run("privacy", "erase", case, *why, code=1)
    assert "article 17(3)(b): 1 rows of position are kept until" in refused
    assert "Directive 2014/65/EU" in refused
    assert cases.named(server.home, case).status == "refused"
    server.client.command(
        "ALTER TABLE position DELETE WHERE account = 'acc-z'", settings={"mutations_sync": 2}
    )
    run("retention", "hold", "case-2", "--on", who, *why)
    held = str(re.findall("request-[0-9a-f]{8}", run(
        "privacy", "request", who, "--kind", "erasure", *why))[0])  # fmt: skip
    assert "article 17(3)(e): legal hold case-2" in run("privacy", "erase", held, *why, code=1)
    run("retention", "release", "case-2", *why)

    # Somebody at work stands in the trail for years; a client of before does not.
    client = added(run, "former client", "Ebenezer Featherstonehaugh")
    with_documents(server, run, place, client, why)
    request = run("privacy", "request", client, "--kind", "erasure", *why)
    last = str(re.findall("request-[0-9a-f]{8}", request)[0])
    assert "is destroyed" in run("privacy", "erase", last, *why)
    with pytest.raises(AssertionError):
        run("privacy", "show", client, *why)
    assert len(list((place / "vault" / "papers" / client).iterdir())) == 2  # and nobody reads them
    (server.home / "retention.toml").unlink()

    staff = run("privacy", "request", who, "--kind", "erasure", *why)
    theirs = str(re.findall("request-[0-9a-f]{8}", staff)[0])
    assert "of audit_event are kept until" in run("privacy", "erase", theirs, *why, code=1)
    (server.home / "retention.toml").write_text(years_later("trail", trail=True))
    last = case_of(run("privacy", "request", who, "--kind", "erasure", *why))
    users = identity.path_in(server.home)
    identity.save(users, {who: identity.new_user(who, "admin", PASSWORD)})
    run("privacy", "erase", last, *why, typed=f"{PASSWORD}\n", code=2)  # who signs in works here
    users.unlink()
    assert f"key of {who} is destroyed" in run("privacy", "erase", last, *why)
    (server.home / "retention.toml").unlink()
    everything_kept(place, server, "after")
    server.stop()
    unpacked(place, tmp_path)
    for text in (*SECRETS, "Featherstonehaugh", "former client"):
        assert places(place, text.encode()) == []
        assert places(tmp_path, text.encode()) == []
    # The search does find what is there: the pseudonym, in parts, journals of people and backups.
    places_of_pseudonym = places(place, who.encode())
    assert "home/audit.log" in places_of_pseudonym
    assert any(name.startswith("home/warehouse/") for name in places_of_pseudonym)
    assert any("audit" in name for name in places(tmp_path, who.encode()))
    server.start()
    log = [event.action for event in audit_log.read(audit_log.path_in(server.home))]
    assert log.count("identity erased") == 2


def test_a_user_of_before_gets_a_pseudonym_and_what_is_left_of_the_name_is_told(
    server: Warehouse, place: Path, run: Run
) -> None:
    users = {"mordecai": identity.new_user("mordecai", "admin", PASSWORD)}
    identity.save(identity.path_in(server.home), users)
    by = ("--reason", "a vault", "--by", "mordecai")
    typed = f"{PASSWORD}\n"
    run("retention", "hold", "case-9", "--on", "signal", *by, typed=typed)
    server.client.command(
        "INSERT INTO reference_person (strategy, valid_from, owner, loaded_by)"
        " VALUES ('s', '2026-01-01', 'mordecai', 'mordecai')"
    )
    out = run("privacy", "migrate", "mordecai", *by, typed=f"{typed}Mordecai Ames\n")
    who = str(re.findall("p-[0-9a-f]{12}", out)[0])
    assert f"reference_person.owner: 1 rows say {who} now" in out
    assert "LEFT audit_event.actor" in out
    assert f"LEFT {server.home}/audit.log" in out
    assert "LEFT reference_person" not in out
    assert list(identity.load(identity.path_in(server.home))) == [who]
    run("retention", "release", "case-9", *by, typed=typed)  # by the name of before
    *_, last = audit_log.read(audit_log.path_in(server.home))
    assert (last.action, last.actor) == ("retention release", who)
    with pytest.raises(AssertionError):
        run("users", "add", "jebediah", "--by", "mordecai", typed=f"{typed}{PASSWORD}\n")
    identity.path_in(server.home).unlink()


def test_where_controls_are_signed_two_people_erase(
    server: Warehouse, place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKHOUSE_CONTROLS__KEYS", str(place / "signers"))
    monkeypatch.setenv("TICKHOUSE_CONTROLS__TRUST", str(place / "trust"))
    first, second = (added(run, name, f"{name} of the firm") for name in ("ursula", "hepzibah"))
    for who in (first, second):
        keys.generate(place / "signers", server.home, who, PASSWORD)
    why = ("--reason", "a letter")
    person = f"{second}={place / 'signers' / f'{second}.pub'}"
    run("controls", "begin", "--firm", "--person", person, "--by", "ursula", typed=PASSWORD)
    gone = added(run, "client", "Obadiah Stallwart")
    request = run("privacy", "request", gone, "--kind", "erasure", "--by", "ursula", *why)
    case = str(re.findall("request-[0-9a-f]{8}", request)[0])
    out = run("privacy", "erase", case, "--by", "ursula", *why, typed=PASSWORD)
    assert "It waits for the signature of a second person" in out
    run("privacy", "erase", case, "--by", "ursula", *why)  # one is not enough
    assert cases.named(server.home, case).status == "open"
    run("controls", "sign", "2", "--by", "hepzibah", *why, typed=PASSWORD)
    assert "is destroyed" in run("privacy", "erase", case, "--by", "ursula", *why)
    assert cases.named(server.home, case).status == "erased"
    assert places(server.home, b"ursula") == places(server.home, b"hepzibah") == []
