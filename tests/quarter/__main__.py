"""`make quarter`: a quarter played through the product, every report held against the script.

Prints a table and a verdict; exit status 1 when a report says anything else than was to be said.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from reports import emir_answers
from tests.quarter import expected, play
from tests.quarter.expected import Row
from tests.quarter.play import Quarter
from tests.quarter.script import WEEKS, Day


class Line(NamedTuple):
    """What was compared of one report: rows, fields, and where it says something else."""

    report: str
    versions: int
    rows: int
    fields: int
    differences: list[str]


class Verdict:
    """Lines by report."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}

    def rows(
        self, report: str, where: str, said: Iterable[Row], wanted: Iterable[Row], *key: str
    ) -> None:
        """Compare rows field by field, as many as are wanted and no other."""
        left = {tuple(row.get(k, "") for k in key): row for row in said}
        count = fields = 0
        differences = list[str]()
        for row in wanted:
            name = tuple(row[k] for k in key)
            there = left.pop(name, None)
            count, fields = count + 1, fields + len(row)
            if there is None:
                differences.append(f"{where} {name}: is not there")
                continue
            differences += [
                f"{where} {name} {field}: {there.get(field)!r}, not {value!r}"
                for field, value in row.items()
                if there.get(field) != value
            ]
        differences += [f"{where} {name}: nobody expected it" for name in left]
        self.add(report, count, fields, differences)

    def says(self, report: str, where: str, said: object, wanted: object) -> None:
        """Compare one thing."""
        differing = [] if said == wanted else [f"{where}: {said!r}, not {wanted!r}"]
        self.add(report, 0, 1, differing)

    def add(self, report: str, rows: int, fields: int, differences: list[str]) -> None:
        line = self.lines.get(report, Line(report, 0, 0, 0, []))
        self.lines[report] = Line(
            report, line.versions + 1, line.rows + rows, line.fields + fields,
            line.differences + differences,
        )  # fmt: skip

    def shown(self, console: Console) -> bool:
        """Print it; whether all agree."""
        table = Table("report", "comparisons", "rows", "fields", "differences", "")
        for line in self.lines.values():
            table.add_row(
                line.report, str(line.versions), str(line.rows), str(line.fields),
                str(len(line.differences)), "\n".join(line.differences[:6]),
            )  # fmt: skip
        console.print(table)
        return not any(line.differences for line in self.lines.values())


def compare(quarter: Quarter, verdict: Verdict) -> None:
    """Every report of every day, then what became of it."""
    for day in quarter.days:
        _filed(quarter, verdict, day)
    _restated(quarter, verdict)
    _answered(quarter, verdict)
    verdict.says("retention", "order_event", quarter.held, ("case-7",))
    verdict.says("erasure", "files with the name", quarter.left, [])
    verdict.says("client files", "without a document", quarter.lacks, True)


def _filed(quarter: Quarter, verdict: Verdict, day: Day) -> None:
    def rows(name: str, file: str) -> list[Row]:
        return play.build_rows(quarter.versions(name, day.day)[0], file)

    where, days = str(day.day), quarter.days
    trades = [r for r in rows("rts22", "transactions.csv") if r["account"] == expected.ACCOUNT]
    verdict.rows("rts22", where, trades, [*expected.transactions(day), *expected.spot(day)],
                 "venue_deal")  # fmt: skip
    records = [r for r in rows("order-records", "order_records.csv")
               if r["account"] == expected.ACCOUNT and r["order_id"]]  # fmt: skip
    verdict.rows("order-records", where, records, expected.order_records(day), "order_id",
                 "own_event", "ts_event")  # fmt: skip
    verdict.rows("controls", where, rows("controls", "blocked_orders.csv"), expected.blocked(day),
                 "order_id")  # fmt: skip
    parts = [r for r in rows("emir", "reports.csv") if r["t2_154_level"] == "TCTN"
             and r["symbol"] == expected.INDEX and r["account"] == expected.ACCOUNT]  # fmt: skip
    verdict.rows("emir", where, parts, expected.contracts(day), "venue_deal")
    deals = [r for r in rows("broker-reconciliation", "reconciliation.csv") if r["item"] == "deal"
             and r["account"] == expected.ACCOUNT]  # fmt: skip
    verdict.rows("broker-reconciliation", where, deals, expected.statement_rows(day), "item_key")
    ours = play.balance(days, day.number)
    theirs = ours - (25.0 if day.number == play.MONEY_OFF else 0.0)
    money = [r for r in rows("client-money", "client_money.csv")
             if r["account"] == expected.ACCOUNT]  # fmt: skip
    verdict.rows("client-money", where, money, expected.money(ours, theirs), "account", "item")
    filled = [r for r in rows("execution-quality", "orders.csv")
              if r["account"] == expected.ACCOUNT and float(r["volume_filled"]) > 0]  # fmt: skip
    verdict.rows("execution-quality", where, filled, expected.executions(day), "order_id", "side")
    alerts = {r["scenario"] for r in rows("market-abuse", "alerts.csv")}
    planted = play.ABUSED.get(day.number)
    verdict.says("market-abuse", where, alerts, {planted} if planted else set())
    incidents = [(r["title"], r["status"], r["major"]) for r in rows("incidents", "incidents.csv")
                 if r["report_date"] == where]  # fmt: skip
    opened = [("the gateway was down", "closed", "no")] if day.number == 0 else []
    verdict.says("incidents", where, incidents, opened)


def _restated(quarter: Quarter, verdict: Verdict) -> None:
    days = quarter.days
    changed = {
        f"{name} {days[number].day}"
        for number, names in {
            play.TICK_LATE: ("execution-quality",),
            play.DEAL_CHANGED: ("rts22", "emir", "execution-quality", "broker-reconciliation"),
            play.DEAL_BUSTED: ("rts22", "emir", "execution-quality", "broker-reconciliation"),
        }.items()
        for name in names
    }
    # The deal that never was leaves a position open: every later report of positions tells of it.
    changed |= {f"emir {day.day}" for day in days[play.DEAL_BUSTED + 1 :]}
    verdict.says("restatements", "problems", quarter.problems, [])
    verdict.says("restatements", "subjects", sorted(set(quarter.restatements()) ^ changed), [])
    verdict.says("restatements", "status", set(quarter.restatements().values()), {"done"})
    day = days[play.DEAL_CHANGED]
    last = quarter.versions("rts22", day.day)[-1]
    deal = str(day.fills[0].deal)
    prices = {r["venue_deal"]: r["f33_price"] for r in play.build_rows(last, "transactions.csv")}
    wanted = expected.number(day.fills[0].price + 0.75)
    verdict.says("restatements", f"price of {deal}", prices.get(deal), wanted)
    busted = days[play.DEAL_BUSTED]
    left = play.build_rows(quarter.versions("rts22", busted.day)[-1], "transactions.csv")
    gone = str(busted.fills[0].deal)
    verdict.says("restatements", f"deal {gone}", gone in {r["venue_deal"] for r in left}, False)


def _answered(quarter: Quarter, verdict: Verdict) -> None:
    day = quarter.days[play.REJECTED].day
    version = quarter.versions(emir_answers.NAME, day)[-1]
    rules = sorted(r["rule_id"] for r in play.build_rows(version, emir_answers.BREAKS))
    verdict.says("emir answers", str(day), rules, ["rejected", "unknown_report"])


def main() -> int:
    """Play, compare, print."""
    parser = argparse.ArgumentParser(prog="quarter", description=__doc__)
    parser.add_argument("--weeks", type=int, default=WEEKS, help="at least 2")
    parser.add_argument("--out", type=Path, help="keep the reports there")
    given = parser.parse_args()
    began, verdict = time.monotonic(), Verdict()
    with (
        tempfile.TemporaryDirectory() as folder,
        play.quarter(Path(folder) / "home", given.weeks) as quarter,
    ):
        compare(quarter, verdict)
        if given.out:
            (Path(folder) / "home" / "reports").rename(given.out)
    agrees = verdict.shown(Console(width=200))
    said = "every report says what was to be said" if agrees else "THERE ARE DIFFERENCES"
    print(f"{len(quarter.days)} trading days in {time.monotonic() - began:.0f} s: {said}")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
