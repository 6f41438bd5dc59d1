"""The session at the end of a message, left out of its bytes while it is empty.

Messages of replays, and of versions before sessions, name none: their bytes, and the hashes over
them, stay what they were without the field. A reader gives a message that ends before it the
default, and one of a version before ignores it.
"""

import struct

import msgspec

_ARRAY16 = struct.Struct(">BH")  # MessagePack: 0xdc and the count; ours have more than 15 fields


def _not_last(message: msgspec.Struct) -> bool:
    """A message that says more than the one it derives from keeps the empty field."""
    return message.__struct_fields__[-1] != "session_id"


def packed(encoder: msgspec.msgpack.Encoder, message: msgspec.Struct) -> bytes:
    """The message's bytes, without a `session_id` that says nothing."""
    body = encoder.encode(message)
    if getattr(message, "session_id", None) != "" or _not_last(message):
        return body
    mark, count = _ARRAY16.unpack_from(body)
    # The empty string is the last byte.
    return _ARRAY16.pack(mark, count - 1) + body[_ARRAY16.size : -1]
