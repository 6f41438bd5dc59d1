"""What the journal holds: everything execution publishes, and the signals it acted on.

A signal is kept beside its RECEIVED event because a position's horizon follows from it: the
journal alone, folded from its first record, gives the whole state after a crash.
"""

import msgspec

from core.contracts.order import AccountState, ExecutionMarker, OrderEvent
from core.contracts.signal import Signal

Record = OrderEvent | Signal | AccountState | ExecutionMarker

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """The record's bytes."""
    return _encoder.encode(record)


def decode(payload: bytes | memoryview) -> Record:
    """The record of some bytes.

    Raises:
        msgspec.DecodeError: not a record, or of another version.
    """
    return _decoder.decode(payload)
