"""A repository's answers: read, matched to what was sent, turned into breaks; hostile files too."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from cli.main import main
from core import audit_log
from core.clock import ManualClock
from core.errors import InputError, SettingsError
from core.settings import Settings
from reports import build, emir_answers, emir_history, iso20022, package, status_advice
from reports.package import Rendered, ReportManifest, SignOff
from reports.tables import rows_of, write_rows

DAY = date(2026, 3, 2)
FILES = (emir_history.SUBMISSION, emir_history.MARGIN_SUBMISSION)
SPACE = "urn:iso:std:iso:20022:tech:xsd:auth.031.001.01"
RULE = "<VldtnRule><Id>{}</Id><Desc>{}</Desc></VldtnRule>"


def advice(*records: str, head: str = "", space: str = SPACE) -> str:
    inner = f"<StsAdvc><MsgRptIdr>F1</MsgRptIdr>{head}{''.join(records)}</StsAdvc>"
    root = f"<FinInstrmRptgStsAdvc>{inner}</FinInstrmRptgStsAdvc>"
    return f'<?xml version="1.0"?><Document xmlns="{space}">{root}</Document>'


def record(key: str, status: str, rule: str = "", says: str = "") -> str:
    broken = RULE.format(rule, says) if rule else ""
    return f"<RcrdSts><OrgnlRcrdId>{key}</OrgnlRcrdId><Sts>{status}</Sts>{broken}</RcrdSts>"


def head(status: str, total: int) -> str:
    counts = (
        "<NbOfRcrdsPerSts><DtldNbOfRcrds>1</DtldNbOfRcrds><DtldSts>ACPT</DtldSts></NbOfRcrdsPerSts>"
    )
    statistics = f"<Sttstcs><TtlNbOfRcrds>{total}</TtlNbOfRcrds>{counts}</Sttstcs>"
    return f"<MsgSts><Sts>{status}</Sts>{statistics}</MsgSts>"


def written(folder: Path, text: str, name: str = "answer.xml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home in which a version with three records is signed by ann and released by bob."""
    settings = Settings(home=str(tmp_path / "home"))
    release(settings)
    return settings


def release(settings: Settings, *margins: str) -> None:
    """One more version: three reports, and margins of these records."""
    place = package.folder_of(build.base_of(settings), "emir", DAY, "live")

    def render(folder: Path, _: int) -> Rendered:
        names = [emir_history.KEY, emir_history.ACTION, "t2_001_uti", "order_id"]
        rows = [[key, "NEWT", f"UTI{key}", f"o{key}"] for key in ("A", "B", "C")]
        write_rows(folder / emir_history.SUBMISSION, names, iter(rows))
        columns = [emir_history.KEY, emir_history.MARGIN_ACTION, "t3_10_uti"]
        write_rows(
            folder / emir_history.MARGIN_SUBMISSION, columns, ([key, "MARU", ""] for key in margins)
        )
        return Rendered({}, False, {}, FILES)

    blank = ReportManifest(
        report="emir", title="", day=DAY, mode="live", version=0, layout="draft-1", draft=True,
        made_us=0, query_sha256={}, dbt_invocation="", inputs={}, empty=False, breaks={}, files={},
    )  # fmt: skip
    version, _ = package.add_version(place, blank, render)
    package.record_sign_off(version, "maker", SignOff("ann", True, 1, version.sha256))
    package.record_sign_off(version, "release", SignOff("bob", True, 2, version.sha256))


def answered(settings: Settings, *files: Path) -> set[tuple[str, str, str]]:
    """Breaks after these answers: record, rule, owner."""
    for path in files:
        emir_answers.keep(settings, path, DAY)
    version = emir_answers.make(settings, DAY, "live", ManualClock(5), "ann")
    rows = rows_of(version.folder / emir_answers.BREAKS)
    return {(row["record_id"], row["rule_id"], row["owner"]) for row in rows}


def test_each_record_has_its_last_answer_and_what_is_wrong_an_owner(
    settings: Settings, tmp_path: Path
) -> None:
    first = advice(
        record("A", "ACPT"), record("B", "RJCT", "EMIR-VR-2001-01", "UTI not known"),
        record("Z", "ACPT"), head=head("PART", 4),
    )  # fmt: skip
    assert answered(settings, written(tmp_path, first)) == {
        ("B", "rejected", "ann"), ("C", "unanswered", "ann"),
        ("Z", "unknown_report", "compliance"), ("F1", "record_count", "operations"),
    }  # fmt: skip
    later = advice(record("B", "ACPT"), record("C", "ODD"))
    assert answered(settings, written(tmp_path, later, "later.xml")) == {
        ("C", "status_known", "ann"), ("Z", "unknown_report", "compliance"),
        ("F1", "record_count", "operations"),
    }  # fmt: skip
    folder = package.folder_of(build.base_of(settings), emir_answers.NAME, DAY, "live")
    versions = package.versions(folder)
    answers = {r["record_id"]: r for r in rows_of(versions[0].folder / emir_answers.ANSWERS)}
    assert (answers["B"]["rule_id"], answers["B"]["says"]) == ("EMIR-VR-2001-01", "UTI not known")
    assert (answers["B"]["uti"], answers["C"]["status"]) == ("UTIB", "")
    assert versions[0].manifest.breaks == {"error": 2, "warning": 2}
    noted = list(audit_log.read(audit_log.path_in(settings.home_path)))
    assert [(line.action, line.subject) for line in noted] == [
        (emir_answers.ACTION, "emir 2026-03-02 v1"), (emir_answers.ACTION, "emir 2026-03-02 v2"),
    ]  # fmt: skip
    assert [msgspec.json.decode(line.detail)["errors"] for line in noted] == [2, 1]


def test_the_same_file_twice_is_one_and_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    path = written(tmp_path, advice(*(record(key, "ACPT") for key in "ABC")))
    assert answered(settings, path, path) == set()
    assert len(list((settings.home_path / "answers" / "emir" / str(DAY)).iterdir())) == 1


def test_answers_to_the_file_of_margins_are_matched_too(settings: Settings, tmp_path: Path) -> None:
    release(settings, "M", "N")
    path = written(tmp_path, advice(*(record(key, "ACPT") for key in "ABCM")))
    of_margins = advice(record("N", "RJCT", "R", "currency missing"))
    assert answered(settings, path, written(tmp_path, of_margins, "margins.xml")) == {
        ("N", "rejected", "ann")
    }


def test_a_file_that_is_rejected_as_a_whole_leaves_its_records_unanswered(
    settings: Settings, tmp_path: Path
) -> None:
    whole = f"<MsgSts><Sts>RJCT</Sts>{RULE.format('SCHEMA', 'not valid')}</MsgSts>"
    assert answered(settings, written(tmp_path, advice(head=whole))) == {
        ("F1", "file_rejected", "operations"),
        *((key, "unanswered", "ann") for key in "ABC"),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no XML"),
        ("<a", "no XML"),
        ("<a/>", "no status advice"),
        (advice(space="urn:iso:std:iso:20022:tech:xsd:auth.030.001.04"), "no status advice"),
        (advice("<RcrdSts><Sts>ACPT</Sts></RcrdSts>"), "without its id or status"),
        (advice(record("A", "ACPT")).replace("</Document>", ""), "no XML"),
    ],
)
def test_a_file_that_is_no_answer_is_refused_and_not_kept(
    settings: Settings, tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        emir_answers.keep(settings, written(tmp_path, text), DAY)
    assert not (settings.home_path / "answers").exists()


def test_an_answer_reads_nothing_outside_itself(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password")
    entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    text = advice(record("A", "ACPT", "R", "&x;")).replace("<Document", f"{entity}<Document", 1)
    (one,) = status_advice.read(written(tmp_path, text)).records
    assert "password" not in one.says


def test_the_command_says_where_it_is_kept_and_what_is_wrong(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", settings.home)
    path = str(written(tmp_path, advice(*(record(key, "RJCT") for key in "ABC"))))
    assert main(["report", "answer", path, "--date", str(DAY)]) == 0
    assert "breaks: 3 error." in capsys.readouterr().out
    assert main(["report", "answer", path]) == 2
    assert main(["report", "answer", str(tmp_path / "none.xml"), "--date", str(DAY)]) != 0


def test_nothing_sent_has_no_answer(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path / "empty"))
    with pytest.raises(SettingsError, match="nothing was sent"):
        emir_answers.make(settings, DAY, "live", ManualClock(5), "ann")


@pytest.mark.reference
def test_the_answers_here_are_valid_for_isos_schema(tmp_path: Path, reference_data: Path) -> None:
    schema = reference_data / "schemas" / "iso20022" / "auth.031.001.01.xsd"
    text = advice(record("A", "RJCT", "R1", "why"), head=head("PART", 1))
    assert iso20022.validate(written(tmp_path, text), schema) == []
