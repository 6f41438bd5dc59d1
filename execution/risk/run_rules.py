"""Which firm's rules a replay or backtest is under, and the calendar that it knows.

Such a run has an account of its own, which no table of the limits names: it is under the firm of
the account that the settings name, or under one that somebody chose. Its calendar is a copy, so
that a restart on its way reads the same; the run's id holds both.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from core import calendar, durable
from core.errors import InputError
from core.settings import Settings
from execution.risk import limits
from execution.risk.limits import FIRM, LimitsBook
from execution.risk.news import of_firm

_FIRM = "limits.firm"  # in a run's directory


class RunRules(NamedTuple):
    """Besides limits. `firm`: "" for none; `calendar`: a calendar file's bytes, empty for none."""

    firm: str = ""
    calendar: bytes = b""

    @property
    def shaping(self) -> tuple[str, ...]:
        """What of it decides a run's result; nothing where there is nothing."""
        digest = (hashlib.sha256(self.calendar).hexdigest(),) if self.calendar else ()
        return (*((f"firm {self.firm}",) if self.firm else ()), *digest)


def chosen(settings: Settings, content: bytes | None, firm: str | None = None) -> RunRules:
    """What a run under a limits file's bytes goes by; `firm` None: that of the settings' account.

    Raises:
        InputError: the limits have no such firm, or the home's calendar is damaged.
    """
    if content is None:
        if firm:
            raise InputError(f"--firm {firm}", "no limits file is in force that could name it")
        return RunRules()
    book = limits.parse(content, "limits")
    if firm and firm not in book.firms:
        known = ", ".join(sorted(book.firms)) or "none"
        raise InputError(f"--firm {firm}", f"the limits have no [firms.{firm}]; known: {known}")
    named = book.firm_of(settings.run.account)
    firm = (named[0] if named else "") if firm is None else firm
    rules = under(book, "", firm).news_of("") or (firm and of_firm(book.firms[firm]))
    if not rules:
        return RunRules(firm)
    path = calendar.path_in(settings.home_path)
    calendar.load(path)  # damaged: said before anything runs
    return RunRules(firm, path.read_bytes() if path.exists() else b"")


def under(book: LimitsBook, account: str, firm: str) -> LimitsBook:
    """The limits with an account under a firm; as they are without one."""
    if not firm:
        return book
    mine = {**book.accounts.get(account, {}), FIRM: firm}
    return book._replace(accounts={**book.accounts, account: mine})


def freeze(rules: RunRules, directory: Path) -> None:
    """A run's own copy, written once."""
    if rules.firm and not (directory / _FIRM).exists():
        durable.write(directory / _FIRM, rules.firm.encode())
    if rules.calendar and not calendar.path_in(directory).exists():
        durable.write(calendar.path_in(directory), rules.calendar)


def frozen_firm(directory: Path) -> str:
    """The firm of such a copy; "" for none."""
    path = directory / _FIRM
    return path.read_text() if path.exists() else ""
