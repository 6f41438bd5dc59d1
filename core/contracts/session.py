"""A start of the processes, and what it refers to by its hash: the rows of `session` and `content`.

Everything that a session decided is computed again with what stands here, and with nothing that
came later. Bodies are kept once by their SHA-256: a hundred starts with the same settings and the
same strategy are a hundred short rows.
"""

import hashlib

import msgspec


class Session(msgspec.Struct, frozen=True):
    """One start. Times are microseconds since the Unix epoch, UTC."""

    session_id: str
    run_id: str
    mode: str
    account: str
    strategy: str
    number: int  # of the run's starts, from 1: they order by it whatever clocks say; 0: a replay
    ts_start_us: int  # by the clock of its host; of a replay market time
    ts_end_us: int  # 0: it runs, or its end was never written
    who: str
    host: str
    home: str
    versions: str  # JSON
    fingerprint: str  # JSON
    settings_hash: str
    strategy_hash: str  # "" for a strategy that ships
    limits_hash: str  # "" without a limits file
    limits_version: str
    model: str  # "" without a champion
    feature_set_hash: str
    status: str
    features_hash: str = ""  # "" without features of a person's own


class SessionPart(msgspec.Struct, frozen=True):
    """What a start consists of, a row of `session_part`: a process that beats, a feed, a duty."""

    session_id: str
    kind: str  # process, feed, or duty: what is to happen again and again
    name: str  # the process, the duty; of a feed source and symbol with a slash between
    hours: str = ""  # of a feed: forex, metal or always


class Content(msgspec.Struct, frozen=True):
    """What sessions refer to. `kind`: settings, limits, strategy or features."""

    hash: str
    kind: str
    body: bytes


def content(kind: str, body: bytes) -> Content:
    """A body under its SHA-256: of a file that of the file."""
    return Content(hashlib.sha256(body).hexdigest(), kind, body)
