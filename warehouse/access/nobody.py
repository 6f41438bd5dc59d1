"""What is nobody's to run here, an admin's and the owner's neither.

Statements that end the process or keep it from answering: it is ended where it was started. And,
by GET, whatever changes something: the engine's `readonly=2` lets files, backups and KILL pass, and
a link or a picture on any page is a GET. The engine's own parser says what a statement is, so
comments, case, odd spaces and a second statement hide nothing; what it cannot read, it cannot run.
"""

import re

from warehouse.access.parser import Parser
from warehouse.engine.answer import refusal
from warehouse.protocol.statement import Statement, first_word

#: Kinds of SYSTEM statement that run. Others, also those a later engine brings, are refused.
_RUN = re.compile(
    r"(FLUSH|CLEAR|DROP|RELOAD|SYNC|REFRESH|PREWARM|LOAD|UNLOAD|JEMALLOC PURGE"
    r"|(START|STOP|PAUSE|WAIT|CANCEL) (ALL )?(REPLICATED )?VIEWS?|WAIT LOADING PARTS"
    r"|(START|STOP) (MERGES|TTL MERGES|MOVES|CLEANUP|FETCHES|PULLING REPLICATION LOG"
    r"|DISTRIBUTED SENDS|REPLICATION QUEUES|REPLICATED SENDS|VIRTUAL PARTS UPDATE"
    r"|REDUCE BLOCKING PARTS))\b"
)
_MENTIONED = re.compile(r"\bsystem\b(?!\s*\.)", re.IGNORECASE)
_OUTFILE = re.compile(r"\boutfile\b", re.IGNORECASE)
_QUOTED = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|\"(?:[^\"\\]|\\.|\"\")*\"", re.DOTALL
)
_END = "\n/**/"  # a comment follows every statement that runs, so one that opens another is read so


def check(statement: Statement, parser: Parser) -> None:
    """Let a statement pass unless it ends or blocks the process.

    Args:
        statement: as it will run.
        parser: the engine's own, which gives a statement's class, and its text without comments.

    Raises:
        WarehouseError: 497 it is refused, 62 the engine cannot read it.
    """
    if not _MENTIONED.search(statement.sql):
        return
    sql = _as_run(statement)
    if parser.classify(sql) in ("READ_ONLY", "MUTATING"):
        return
    text = _QUOTED.sub("''", parser.written(sql))
    for match in re.finditer(r"\bSYSTEM +(?=\w)", text):
        if not _RUN.match(text, match.end()):
            named = " ".join(text[match.start() :].split()[:3])
            raise refusal(
                497,
                f"{named} is for nobody: it may end or block the warehouse for everybody. To stop "
                "it, stop the process that runs it (Ctrl-C of `tickhouse up`, or SIGTERM)",
                "ACCESS_DENIED",
            )


def check_reading(statement: Statement, parser: Parser) -> None:
    """Let a statement of a GET pass if it only reads.

    Raises:
        WarehouseError: 164 it does more, 62 the engine cannot read it.
    """
    sql, word = _as_run(statement), first_word(statement.sql)
    reads = parser.classify(sql) == "READ_ONLY" or word in ("SET", "USE")
    if reads and not _OUTFILE.search(sql):
        return
    if not reads or _OUTFILE.search(_QUOTED.sub("''", parser.written(sql))):
        parser.written(sql)  # if it is no statement at all, this says so
        what = f"{word or 'this'} by GET, or with readonly"
        raise refusal(164, f"Cannot execute query in readonly mode: {what}", "READONLY")


def _as_run(statement: Statement) -> str:
    if statement.input_format:  # the data travels apart
        return f"{statement.sql} FORMAT {statement.input_format}"
    if first_word(statement.sql) == "INSERT":  # what follows VALUES is data, comments too
        return statement.sql
    return statement.sql + _END
