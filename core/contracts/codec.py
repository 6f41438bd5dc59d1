"""Messages to bytes and back. MessagePack; the tag carries the version.

Every message starts with its name and version (`TickBatch/1`). A reader refuses a version it
does not know with a MessageError instead of misreading it.
"""

from typing import Any

import msgspec

from core.contracts.operations import Control, Heartbeat, RiskState
from core.contracts.order import OrderMessage
from core.contracts.prediction import Prediction
from core.contracts.risk import MarketRiskMessage
from core.contracts.session_id import packed
from core.contracts.signal import SignalMessage
from core.contracts.tick import TickMessage
from core.errors import MessageError

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "ticks": msgspec.msgpack.Decoder(TickMessage),
    "signals": msgspec.msgpack.Decoder(SignalMessage),
    "order_events": msgspec.msgpack.Decoder(OrderMessage),
    "control": msgspec.msgpack.Decoder(Control),
    "heartbeats": msgspec.msgpack.Decoder(Heartbeat),
    "predictions": msgspec.msgpack.Decoder(Prediction),
    "risk": msgspec.msgpack.Decoder(RiskState),
    "market_risk": msgspec.msgpack.Decoder(MarketRiskMessage),
}


def encode(message: msgspec.Struct) -> bytes:
    """The message's bytes."""
    return packed(_encoder, message)


def decode(topic: str, payload: bytes) -> Any:
    """The message of a topic.

    Raises:
        MessageError: malformed bytes, an unknown message, or another version.
    """
    try:
        return _decoders[topic].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(
            f"topic {topic}: {error} (written by another version, or damaged; {len(payload)} bytes)"
        ) from error
