"""R1b: front office, submissions and the authority's sample are compared by reference and field."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import InputError, SettingsError
from core.settings import Settings
from reports import package
from reports import rts22_reconciliation as reconciliation
from reports.package import Rendered, ReportManifest, SignOff, Version
from reports.rts22 import SUBMISSION, TRANSACTIONS
from reports.rts22_reconciliation import Difference, Sources, compare
from reports.tables import rows_of, write_rows

DAY = date(2026, 3, 2)  # a Monday: due on Tuesday
COLUMNS = (
    "reportable", "order_id", "f01_report_status", "f02_transaction_reference", "f30_quantity",
    "f33_price",
)  # fmt: skip
Line = tuple[str, str, str]


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def release(
    settings: Settings, trades: list[Line], sent: list[tuple[str, *Line]], at: str = ""
) -> Version:
    """A version of the RTS 22 report: what it knows, what it sends; released when `at` says so."""

    def render(folder: Path, _number: int) -> Rendered:
        rows = [("yes", f"o{ref}", "NEWT", ref, quantity, price) for ref, quantity, price in trades]
        rows.append(("no", "o9", "NEWT", "excluded", "1", "1"))
        write_rows(folder / TRANSACTIONS, COLUMNS, iter(rows))
        out = [("yes", f"o{ref}", status, ref, q, price) for status, ref, q, price in sent]
        write_rows(folder / SUBMISSION, COLUMNS, iter(out))
        return Rendered({}, False, {}, (TRANSACTIONS, SUBMISSION))

    blank = ReportManifest(
        report="rts22", title="", day=DAY, mode="live", version=0, layout="draft-1", draft=True,
        made_us=0, query_sha256={}, dbt_invocation="", inputs={}, empty=False, breaks={}, files={},
    )  # fmt: skip
    folder = package.folder_of(settings.home_path / "reports", "rts22", DAY, "live")
    version, _ = package.add_version(folder, blank, render)
    if at:
        package.record_sign_off(version, "release", SignOff("bob", True, us(at), version.sha256))
    return version


def differences(settings: Settings) -> list[Difference]:
    version = reconciliation.reconcile(settings, DAY, "live", ManualClock(us("2026-03-04 09:00")))
    assert package.changed_files(version) == []
    return [Difference(**row) for row in rows_of(version.folder / "differences.csv")]


def sample(settings: Settings, tmp_path: Path, *lines: str) -> None:
    path = tmp_path / "sample.csv"
    path.write_text("\n".join(["f02_transaction_reference,f33_price", *lines, ""]))
    reconciliation.keep_sample(settings, path, DAY)


def test_what_was_sent_in_time_and_is_held_alike_agrees(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    release(settings, [("A", "1", "10.5")], [("NEWT", "A", "1", "10.5")], "2026-03-03 10:00")
    sample(settings, tmp_path, "A,10.50")
    assert differences(settings) == []


def test_every_way_not_to_agree_is_named(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    release(
        settings, [("A", "1", "10"), ("B", "1", "10"), ("C", "1", "10"), ("E", "1", "10")],
        [("NEWT", ref, "1", "10") for ref in "ACDE"], "2026-03-04 00:30",
    )  # fmt: skip
    sample(settings, tmp_path, "A,10", "A,10", "C,11", "D,10", "X,10")
    assert differences(settings) == [
        Difference("A", "submitted late", order_id="oA"),
        Difference("B", "not submitted", order_id="oB"),
        Difference("C", "submitted late", order_id="oC"),
        Difference("C", "field differs", "f33_price", "10", "10", "11", "oC"),
        Difference("D", "submitted, not reportable", order_id="oD"),
        Difference("E", "submitted late", order_id="oE"),
        Difference("E", "missing at the authority", order_id="oE"),
        Difference("X", "unknown to us"),
        Difference("A", "twice at the authority"),
    ]


def test_a_fill_corrected_after_filing_differs_until_it_is_sent_anew(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    first = ("NEWT", "A", "1", "10")
    release(settings, [("A", "1", "10")], [first], "2026-03-03 10:00")
    anew = [("CANC", "A", "1", "10"), ("NEWT", "A", "1", "10.5")]
    second = release(settings, [("A", "1", "10.5")], anew)
    assert differences(settings) == [
        Difference("A", "field differs", "f33_price", "10.5", "10", "", "oA")
    ]
    sign_off = SignOff("bob", True, us("2026-03-03 12:00"), second.sha256)
    package.record_sign_off(second, "release", sign_off)
    assert differences(settings) == []


def test_what_was_cancelled_is_held_by_nobody(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    release(settings, [("A", "1", "10")], [("NEWT", "A", "1", "10")], "2026-03-05 10:00")
    release(settings, [], [("CANC", "A", "1", "10")], "2026-03-05 11:00")
    assert differences(settings) == []


def test_without_a_report_or_with_a_wrong_sample_nothing_is_kept(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    with pytest.raises(SettingsError, match="not made yet"):
        differences(settings)
    path = tmp_path / "sample.csv"
    for text, problem in (
        ("", "f02_transaction_reference among them"),
        ("f02_transaction_reference,price\nA,1\n", "unknown: price"),
        ("f02_transaction_reference,f33_price\n", "holds no row"),
        ("f02_transaction_reference,f33_price\nA\n", "another number of values"),
        ("f02_transaction_reference,f33_price\nA,1,2\n", "another number of values"),
        ("f02_transaction_reference,f33_price\n,1\n", "no reference"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=problem):
            reconciliation.keep_sample(settings, path, DAY)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="CSV in UTF-8"):
        reconciliation.keep_sample(settings, path, DAY)
    assert not (tmp_path / "extracts").exists()


def test_numbers_are_compared_as_numbers_and_codes_as_text() -> None:
    def sides(ours: str, theirs: str) -> Sources:
        mine = {"A": {"f33_price": ours}}
        return Sources(mine, mine, {"A": {"f33_price": theirs}}, frozenset(), ())

    assert not list(compare(sides("10.50", "10.5")))
    assert not list(compare(sides("-3", "-3.0")))
    assert list(compare(sides("007", "7")))[:1] == []
    assert len(list(compare(sides("XXXX", "XOFF")))) == 1
    assert len(list(compare(sides("1e3", "1000")))) == 1
