"""Clients' files: documents in the vault, four eyes, what counts until when, and bad documents."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from audit.clients import needs, papers, register, state, text
from audit.clients.accounts import clients_of_accounts
from audit.clients.papers import Desk, Offered
from audit.privacy.vault import Vault
from core import audit_log, client_files
from core.clock import ManualClock
from core.errors import InputError, SettingsError
from core.sections import PrivacySettings
from core.settings import Settings
from tests.support import papers as written

NAME = "Zebulon Quartermain"
TODAY = date(2026, 11, 23)
NOW_US = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000
PDF = written.pdf("Passport of", NAME, "Ruritania 4711")
DOCX = written.word("Bank statement", cell=f"{NAME}, Mill Lane 3")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    privacy = PrivacySettings(vault=str(tmp_path / "vault"))
    return Settings(home=str(tmp_path / "home"), privacy=privacy)


Opened = Callable[[str], Desk]


@pytest.fixture
def desk(settings: Settings, clock: ManualClock) -> Opened:
    def of(by: str) -> Desk:
        vault = Vault(settings, clock, by, known=True)
        return Desk(settings, vault, clock, by, True, "a file")

    return of


@pytest.fixture
def who(desk: Opened, settings: Settings, clock: ManualClock) -> str:
    """A person who is a client."""
    pseudonym = desk("ann").vault.add({"name": NAME}, ["zebulon"], "a new client")
    register.note(settings, clock, register.ADDED, pseudonym, "ann", True, "new", category="person")
    return pseudonym


def offered(
    folder: Path, content: bytes = PDF, name: str = "scan.pdf", kind: str = "passport",
    issued: date = TODAY - timedelta(days=100), expires: date | None = date(2026, 12, 31),
) -> Offered:  # fmt: skip
    path = folder / name
    path.write_bytes(content)
    return Offered(path, kind, issued, expires)


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def firm_needs(settings: Settings) -> None:
    """A firm that asks for an identity and an address."""
    table = (
        'title = "x"\nbasis = "the firm"\nkinds = ["{}"]\nends = "never"\ndays = 0\nwarn = 30\n'
        'version = "own"\nreviewed = 2026-11-23\nreview = 2027-11-23\n'
    )
    path = needs.path_in(settings.home_path)
    tables = [
        f'[{name}]\nof = ["company"]\n{table.format(kind)}'
        for name, kind in (("agreement", "client_agreement"), ("appropriateness", "test"))
    ]
    path.write_text("\n".join(tables))


def test_a_file_is_in_order_once_others_approved_until_its_first_document_ends(
    desk: Opened, settings: Settings, clock: ManualClock, who: str, tmp_path: Path
) -> None:
    firm_needs(settings)
    identity = papers.add(desk("ann"), who, offered(tmp_path))
    statement = offered(tmp_path, DOCX, "b.docx", "bank_statement", expires=None)
    address = papers.add(desk("ann"), who, statement)
    waits = state.publish(settings, desk("ann").vault, clock, "ann")
    assert waits.clients[0].lacking(NOW_US) == ["address", "identity"]
    clock.advance(NOW_US + 60_000_000)
    with pytest.raises(SettingsError, match=f"Ann added {identity}: somebody else"):
        papers.approve(desk("Ann"), identity)
    for name in (identity, address):
        papers.approve(desk("bob"), name)
    with pytest.raises(SettingsError, match="approved already"):
        papers.approve(desk("bob"), identity)
    files = state.publish(settings, desk("bob").vault, clock, "bob")
    assert files == client_files.load(client_files.path_in(settings.home_path))
    [file] = files.clients
    approved_us = clock.now_us()
    last = needs.end_of_day_us(date(2026, 12, 31))
    assert file.lacking(approved_us - 1) == ["address", "identity"]
    assert file.lacking(approved_us) == file.lacking(last - 1) == []
    assert file.lacking(last) == ["identity"]
    ends = {need.name: need.until_us(approved_us) for need in file.needs}
    issue = TODAY - timedelta(days=100)
    assert ends["address"] == needs.end_of_day_us(issue + timedelta(days=365))
    papers.reject(desk("cid"), address)
    files = state.publish(settings, desk("cid").vault, clock, "cid")
    assert files.clients[0].lacking(clock.now_us()) == ["address"]


def test_no_byte_of_a_document_is_readable_and_every_access_is_chained(
    desk: Opened, settings: Settings, who: str, tmp_path: Path
) -> None:
    inbox = tmp_path.parent / "inbox"
    inbox.mkdir()
    mine = offered(inbox, name=f"{NAME}.pdf")
    name = papers.add(desk("ann"), who, mine)
    document = register.register(settings.home_path).document(name)
    [paper] = papers.opened(desk("bob"), who, [document]).values()
    assert (paper.content, paper.file_name) == (PDF, f"{NAME}.pdf")
    [match] = papers.search(desk("bob"), "zebulon  QUARTERMAIN")
    assert match.document == document
    assert NAME in match.excerpt
    assert papers.search(desk("bob"), "nobody at all") == []
    log = list(audit_log.read(audit_log.path_in(settings.home_path)))
    done = [(e.action, e.actor, e.subject) for e in log[2:]]
    assert done == [
        ("client document added", "ann", who), ("client document opened", "bob", who),
        ("client documents searched", "bob", who), ("client documents searched", "bob", who),
    ]  # fmt: skip
    held = everything(tmp_path)
    for secret in (NAME, "Quartermain", "4711"):
        assert secret.encode() not in held
    assert PDF[:64] not in held
    with pytest.raises(SettingsError, match="names the person"):
        papers.reject(desk("bob")._replace(reason=f"not {NAME}'s"), name)
    desk("ann").vault.erase(who, "asked for", "article 17(1)")
    with pytest.raises(InputError, match="was erased"):
        papers.opened(desk("bob"), who, [document])
    assert papers.search(desk("bob"), "Quartermain") == []


def test_what_the_vault_does_not_have_as_it_was_added_covers_nothing(
    desk: Opened, settings: Settings, clock: ManualClock, who: str, tmp_path: Path
) -> None:
    firm_needs(settings)
    name = papers.add(desk("ann"), who, offered(tmp_path))
    papers.approve(desk("bob"), name)
    clock.advance(NOW_US + 1)

    def lacking() -> list[str]:
        files = state.publish(settings, desk("ann").vault, clock, "ann")
        return files.clients[0].lacking(clock.now_us()) if files.clients else ["nobody"]

    assert lacking() == ["address"]
    [path] = (tmp_path / "vault" / "papers" / who).iterdir()
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert lacking() == ["address", "identity"]
    path.write_bytes(sealed)
    assert lacking() == ["address"]
    (tmp_path / "vault").rename(tmp_path / "unmounted")
    with pytest.raises(SettingsError, match="is its disk mounted"):
        lacking()
    (tmp_path / "unmounted").rename(tmp_path / "vault")
    desk("ann").vault.erase(who, "asked for", "article 17(1)")
    assert lacking() == ["nobody"]


def test_the_same_document_comes_once_unless_it_was_rejected(
    desk: Opened, who: str, tmp_path: Path
) -> None:
    name = papers.add(desk("ann"), who, offered(tmp_path))
    with pytest.raises(SettingsError, match=f"there already: {name}, waits"):
        papers.add(desk("bob"), who, offered(tmp_path, name="other.pdf"))
    papers.reject(desk("bob"), name)
    assert papers.add(desk("ann"), who, offered(tmp_path)) != name


def test_a_clock_that_was_set_back_publishes_nothing(
    desk: Opened, settings: Settings, clock: ManualClock, who: str
) -> None:
    before = state.publish(settings, desk("ann").vault, clock, "ann")
    early = ManualClock(NOW_US - DAY_US)
    with pytest.raises(SettingsError, match="86400 s behind"):
        state.publish(settings, Vault(settings, early, "ann"), early, "ann")
    assert client_files.load(client_files.path_in(settings.home_path)) == before
    client_files.path_in(settings.home_path).write_bytes(b"{")  # damaged: written anew
    assert state.publish(settings, desk("ann").vault, clock, "ann") == before
    log = audit_log.read(audit_log.path_in(settings.home_path))
    assert [e.action for e in log].count(register.PUBLISHED) == 1  # what changed nothing says so


def test_days_and_kinds_that_cannot_be_are_refused_before_anything_is_kept(
    desk: Opened, settings: Settings, who: str, tmp_path: Path
) -> None:
    def refused(match: str, **changed: object) -> None:
        with pytest.raises(SettingsError, match=match):
            papers.add(desk("ann"), who, offered(tmp_path)._replace(**changed))

    refused("before it was issued", expires=TODAY - timedelta(days=200))
    refused("is in the future", issued=TODAY + timedelta(days=1))
    refused("has an end: give --expires", expires=None)
    refused("has run out", expires=TODAY - timedelta(days=1))
    refused("no file needs a document of kind 'novel'; kinds: appropriateness_test", kind="novel")
    refused("the file of a person holds no register_extract", kind="register_extract")
    with pytest.raises(SettingsError, match="is no client: tickhouse clients add"):
        papers.add(desk("ann"), "p-ba9876543210", offered(tmp_path))
    assert register.register(settings.home_path).documents == {}
    assert not (tmp_path / "vault" / "papers").exists()


BOMB = written.with_part(DOCX, "word/media/image1.png", bytes(101 << 20))
ENTITY = written.with_part(
    DOCX, "word/document.xml",
    b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w>&x;</w>',
)  # fmt: skip
BAD = {
    "a suffix of something else": (PDF, "a.docx", "is a PDF by its content"),
    "no document": (b"GIF89a", "a.pdf", "neither a PDF nor a DOCX"),
    "an old or encrypted one of Word": (bytes.fromhex("d0cf11e0a1b11ae1"), "a.docx", "by Word"),
    "a damaged PDF": (b"%PDF-1.7\n" + PDF[40:200], "a.pdf", "the PDF is damaged"),
    "an encrypted PDF": (written.encrypted_pdf(), "a.pdf", "encrypted: ask for one without"),
    "a damaged DOCX": (DOCX[: len(DOCX) // 2], "a.docx", "the DOCX is damaged"),
    "a zip of something else": (
        written.with_part(b"PK\x05\x06" + bytes(18), "x.txt", b"x"), "a.docx", "damaged: KeyError",
    ),
    "a zip bomb": (BOMB, "a.docx", "unpacks to more than 100 MiB"),
    "an external entity": (ENTITY, "a.docx", "declares entities"),
    "a huge one": (PDF + bytes(text.LARGEST), "a.pdf", "larger than 20 MiB"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "name", "problem"), BAD.values(), ids=BAD.keys())
def test_a_document_that_cannot_be_read_is_refused_with_its_reason(
    content: bytes, name: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        text.text_of(content, Path(name))


def test_text_is_taken_from_pages_paragraphs_and_tables() -> None:
    assert NAME in text.text_of(PDF, Path("a.PDF"))
    assert text.text_of(DOCX, Path("a.docx")).split("\n")[:2] == [
        "Bank statement", f"{NAME}, Mill Lane 3",
    ]  # fmt: skip


def test_a_firm_may_ask_for_other_documents_under_a_version_of_its_own(settings: Settings) -> None:
    firm_needs(settings)
    own = needs.load(settings.home_path)
    assert own["agreement"].of == ("company",)
    path = needs.path_in(settings.home_path)
    path.write_text(path.read_text().replace('"own"', '"2026-11"'))
    with pytest.raises(SettingsError, match=r"\[agreement\]: another need than ours"):
        needs.load(settings.home_path)
    path.write_text("[x]\ntitle = 3\n")
    with pytest.raises(SettingsError, match=r"as in the product's needs\.toml"):
        needs.load(settings.home_path)


def test_accounts_name_their_clients_in_the_limits(
    settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    assert clients_of_accounts(settings, clock) == {}
    path = tmp_path / "home" / "limits.toml"
    path.write_text('version = "t"\n[accounts.a]\nclient = "p-0123456789ab"\n[accounts.b]\n')
    assert clients_of_accounts(settings, clock) == {"a": "p-0123456789ab"}
    path.write_text("[")
    with pytest.raises(InputError, match="not TOML"):
        clients_of_accounts(settings, clock)
