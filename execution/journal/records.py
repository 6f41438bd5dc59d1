"""What the journal holds: everything execution publishes, and the signals it acted on.

A signal is kept beside its RECEIVED event because a position's horizon follows from it: the
journal alone, folded from its first record, gives the whole state after a crash.
"""

import msgspec

from core.contracts.firm import FirmRecord
from core.contracts.order import AccountState, ExecutionMarker, OrderEvent
from core.contracts.session_id import packed
from core.contracts.signal import OrderSignal, Signal


class LeaseTaken(msgspec.Struct, frozen=True, array_like=True, tag="LeaseTaken/1"):
    """From here on this journal trades under a lease of a number (`execution.lease`)."""

    number: int
    holder: str
    ts_init_us: int
    #: The bus's newest signal when another's account was taken over: those until it are not ours.
    signals_until: int = 0


class SegmentBegun(msgspec.Struct, frozen=True, array_like=True, tag="SegmentBegun/1"):
    """The first record of every segment but the first: how far the journal went before it."""

    segment: int  # the one before, from 1
    offset: int  # bytes of all segments before
    records: int  # in them
    seq: int  # of their last order event
    hash: str  # of that event
    digest: str  # BLAKE2b-256 of the bytes of the segment before, which holds the digest of its own


Record = (
    OrderEvent
    | Signal
    | OrderSignal
    | AccountState
    | ExecutionMarker
    | LeaseTaken
    | SegmentBegun
    | FirmRecord
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """The record's bytes."""
    return packed(_encoder, record)


def decode(payload: bytes | memoryview) -> Record:
    """The record of some bytes.

    Raises:
        msgspec.DecodeError: not a record, or of another version.
    """
    return _decoder.decode(payload)
