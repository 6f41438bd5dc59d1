"""Which firm's rules a replay or backtest is under, the calendar that it knows, and its client.

Such a run has an account of its own, which no table of the limits names: it is under the firm of
the account that the settings name, or under one that somebody chose, and trades for the client of
that account. Calendar and clients' files are copies, so
that a restart on its way reads the same; the run's id holds both.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from core import calendar, checked_json, client_files, durable
from core.client_files import ClientFiles
from core.errors import InputError
from core.settings import Settings
from execution.risk import limits
from execution.risk.limits import CLIENT, FIRM, LimitsBook
from execution.risk.news import of_firm

_FIRM, _CLIENT = "limits.firm", "limits.client"  # in a run's directory


class RunRules(NamedTuple):
    """Besides limits: names that are "" for none, and files' bytes that are empty for none."""

    firm: str = ""
    calendar: bytes = b""
    client: str = ""
    client_file: bytes = b""  # of that client alone

    @property
    def shaping(self) -> tuple[str, ...]:
        """What of it decides a run's result; nothing where there is nothing."""
        digest = (hashlib.sha256(self.calendar).hexdigest(),) if self.calendar else ()
        firm = (f"firm {self.firm}",) if self.firm else ()
        file = hashlib.sha256(self.client_file).hexdigest()
        client = (f"client {self.client}", file) if self.client else ()
        return (*firm, *digest, *client)


def chosen(settings: Settings, content: bytes | None, firm: str | None = None) -> RunRules:
    """What a run under a limits file's bytes goes by; `firm` None: that of the settings' account.

    Raises:
        InputError: the limits have no such firm, or the home's calendar or clients' files are
            damaged.
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
    client = book.client_of(settings.run.account)
    file = _client_file(settings.home_path, client) if client else b""
    return RunRules(firm, _calendar(settings.home_path) if rules else b"", client, file)


def _calendar(home: Path) -> bytes:
    path = calendar.path_in(home)
    calendar.load(path)  # damaged: said before anything runs
    return path.read_bytes() if path.exists() else b""


def _client_file(home: Path, client: str) -> bytes:
    """What is known of one client, without when it was checked: the same as long as that is."""
    files = client_files.load(client_files.path_in(home))
    file = files.of(client) if files else None
    if file is None:
        return b""
    return checked_json.encode(ClientFiles("", file.since_us, file.since_us, (file,)))


def under(book: LimitsBook, account: str, firm: str, client: str = "") -> LimitsBook:
    """The limits with an account under a firm and for a client; as they are without both."""
    named = {name: value for name, value in ((FIRM, firm), (CLIENT, client)) if value}
    if not named:
        return book
    mine = {**book.accounts.get(account, {}), **named}
    return book._replace(accounts={**book.accounts, account: mine})


def freeze(rules: RunRules, directory: Path) -> None:
    """A run's own copy, written once."""
    if rules.firm and not (directory / _FIRM).exists():
        durable.write(directory / _FIRM, rules.firm.encode())
    if rules.calendar and not calendar.path_in(directory).exists():
        durable.write(calendar.path_in(directory), rules.calendar)
    if rules.client and not (directory / _CLIENT).exists():
        if rules.client_file:
            durable.write(client_files.path_in(directory), rules.client_file)
        durable.write(directory / _CLIENT, rules.client.encode())


def frozen_firm(directory: Path) -> str:
    """The firm of such a copy; "" for none."""
    return _word(directory / _FIRM)


def frozen_client(directory: Path) -> str:
    """The client of such a copy; "" for none."""
    return _word(directory / _CLIENT)


def _word(path: Path) -> str:
    return path.read_text() if path.exists() else ""
