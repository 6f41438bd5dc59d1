"""MT5 ticks recorded as JSON by an expert advisor, and Kraken trades in the same layout.

One object: `metadata`, then `ticks`, a list of flat objects, then the recorder's own statistics.
Ticks are taken from the list one after the other, never the whole file at once.

`time_msc` is the server's clock. The metadata claims an offset to UTC, but recordings exist that
claim 0 while their ticks run an hour ahead of the recorder's clock (`collected_msc`). The claim is
believed only if the first tick bears it out; otherwise the zone is asked for.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from adapters.files.assumptions import Claims, FileOptions, settle
from adapters.files.base import (
    ASK,
    BID,
    BUY,
    LAST,
    MAX_RAW,
    SELL,
    VOLUME,
    Chunk,
    RefusedRow,
    make_ticks,
)
from adapters.files.zone import LocalClock, Zone
from core.errors import InputError

_READ_BYTES = 1 << 18
_HEAD_BYTES = 1 << 16  # metadata is at most so long
_TICKS = re.compile(rb'"ticks"\s*:\s*\[')
_OBJECT = re.compile(rb"\s*,?\s*(\{[^{}]*\})")
_LIST_END = re.compile(rb"\s*\]")
_AGREES_MSC = 5 * 60_000
# A trade's flag stands alone in these files; MT5 sets LAST and VOLUME with it.
_FLAGS = {
    "BID": BID,
    "ASK": ASK,
    "LAST": LAST,
    "VOLUME": VOLUME,
    "BUY": LAST | VOLUME | BUY,
    "SELL": LAST | VOLUME | SELL,
}


class _Tick(msgspec.Struct):
    time_msc: int
    bid: float
    ask: float
    last: float = 0.0
    real_volume: float = 0.0
    collected_msc: int = 0
    tick_flags: str = ""


_decoder = msgspec.json.Decoder(_Tick)


class Mt5JsonFile:
    """A JSON recording. Source and symbol are in its metadata."""

    format = "MT5 JSON"

    def __init__(self, path: Path, options: FileOptions) -> None:
        """Read the metadata and the first tick.

        Raises:
            InputError: no such layout, or the claimed offset contradicts the ticks.
        """
        self.path = path
        metadata, first = _head(path)
        named = metadata.get("server" if metadata.get("broker_type") == "mt5" else "broker")
        source = str(named or "").lower().replace(" ", "-")
        claims = Claims(source, str(metadata.get("symbol") or ""), *_claimed_zone(metadata, first))
        self.source, self.symbol, self._zone, self.zone = settle(path, options, claims)

    def chunks(self) -> Iterator[Chunk]:
        """See TickFile. Rows are numbered by their place in `ticks`, from 1."""
        clock, row = LocalClock(self._zone), 1
        with self.path.open("rb") as stream:
            for texts in _objects(self.path, stream):
                yield _chunk(texts, row, clock)
                row += len(texts)


def _head(path: Path) -> tuple[dict[str, Any], _Tick | None]:
    with path.open("rb") as stream:
        text = stream.read(_HEAD_BYTES)
    start = _TICKS.search(text)
    try:
        if not start:
            raise ValueError('no list "ticks" in its first 64 KiB')
        metadata = json.loads(text[: start.end()] + b"]}").get("metadata", {})
        first = _OBJECT.match(text, start.end())
        return metadata, _decoder.decode(first[1]) if first else None
    except (ValueError, AttributeError, msgspec.DecodeError) as error:
        raise InputError(str(path), f"is no tick recording: {error}") from error


def _claimed_zone(metadata: dict[str, Any], first: _Tick | None) -> tuple[Zone | None, str]:
    hours = metadata.get("broker_utc_offset_hours")
    if not isinstance(hours, int | float) or first is None or not first.collected_msc:
        return None, "the recording does not say the server's offset to UTC"
    ahead = first.time_msc - first.collected_msc
    if abs(ahead - hours * 3_600_000) > _AGREES_MSC:
        return None, (
            f"its metadata claims the server is {hours:g} h ahead of UTC, but its ticks are "
            f"{ahead / 3_600_000:.2f} h ahead of the recorder's clock"
        )
    minutes = round(abs(hours) * 60)
    sign = "-" if hours < 0 else "+"
    name = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if minutes else "UTC"
    return Zone(name), "metadata, borne out by the recorder's clock"


def _objects(path: Path, stream: BinaryIO) -> Iterator[list[bytes]]:
    """The texts of the list's objects, some at a time, up to the list's end."""
    text, searching, count = b"", True, 0
    while block := stream.read(_READ_BYTES):
        text += block
        if searching:
            start = _TICKS.search(text)
            if not start:
                continue
            text, searching = text[start.end() :], False
        objects, end = [], 0
        while match := _OBJECT.match(text, end):
            objects.append(match[1])
            end = match.end()
        count += len(objects)
        text = text[end:]
        yield objects
        if _LIST_END.match(text):
            return
        if len(text) > _HEAD_BYTES + _READ_BYTES:
            raise InputError(str(path), "the list of ticks breaks here: not JSON", count + 1)
    raise InputError(str(path), "ends in the middle of the list of ticks: not whole", count + 1)


def _chunk(texts: list[bytes], row: int, clock: LocalClock) -> Chunk:
    ticks, rows, refused = [], [], []
    for number, text in enumerate(texts, row):
        try:
            ticks.append(_decoder.decode(text))
            rows.append(number)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raw = " ".join(text.decode("utf-8", "backslashreplace").split())[:MAX_RAW]
            refused.append(RefusedRow(number, raw, "unparseable"))
    local = np.array([t.time_msc for t in ticks], np.int64)
    msc, skipped = clock.read(local, np.ones(len(local), np.bool_))
    refused += [
        RefusedRow(rows[i], msgspec.json.encode(ticks[i]).decode()[:MAX_RAW], "nonexistent_time")
        for i in np.flatnonzero(skipped).tolist()
    ]
    array = make_ticks(
        msc,
        np.array([t.bid for t in ticks], np.float64),
        np.array([t.ask for t in ticks], np.float64),
        np.array([_bits(t.tick_flags) for t in ticks], np.uint32),
        np.array([t.last for t in ticks], np.float64),
        np.array([t.real_volume for t in ticks], np.float64),
    )
    return Chunk(array[~skipped], np.array(rows, np.int64)[~skipped], sorted(refused))


def _bits(names: str) -> int:
    bits = 0
    for name in names.split():
        bits |= _FLAGS.get(name, 0)
    return bits
