"""Content encodings of request and answer."""

import pytest

from core.errors import WarehouseError
from warehouse.protocol.encoding import Decoder, decode, negotiate

NAMES = ["gzip", "deflate", "lz4", "zstd", "br"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_encoded_in_pieces_is_decoded_in_other_pieces(name: str) -> None:
    used, encoder = negotiate(name)
    assert used == name
    assert encoder is not None
    encoded = b"".join(encoder.compress(b"tick" * 1000) for _ in range(3)) + encoder.flush()
    assert len(encoded) < 4000
    assert decode(encoded, name) == b"tick" * 3000
    decoder = Decoder(name)
    pieces = [b"".join(decoder.feed(encoded[i : i + 7])) for i in range(0, len(encoded), 7)]
    assert b"".join(pieces) == b"tick" * 3000


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_answer_is_encoded_too(name: str) -> None:
    encoder = negotiate(name)[1]
    assert encoder is not None
    assert decode(encoder.compress(b"") + encoder.flush(), name) == b""


@pytest.mark.parametrize(
    ("accepted", "used"), [("snappy, zstd;q=1, gzip", "zstd"), ("", ""), ("snappy", "")]
)
def test_the_first_known_encoding_is_used(accepted: str, used: str) -> None:
    assert negotiate(accepted)[0] == used


@pytest.mark.parametrize("name", [*NAMES, "snappy"])
def test_garbage_and_unknown_encodings_are_refused(name: str) -> None:
    with pytest.raises(WarehouseError, match=name):
        decode(b"no such encoding", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_cut_is_refused(name: str) -> None:
    encoder = negotiate(name)[1]
    assert encoder is not None
    encoded = encoder.compress(b"tick" * 1000) + encoder.flush()
    with pytest.raises(WarehouseError, match=f"not {name}"):
        decode(encoded[:-3], name)


@pytest.mark.parametrize("name", ["gzip", "deflate", "lz4", "zstd"])
def test_frames_that_follow_each_other_are_one_body(name: str) -> None:
    frames = []
    for text in (b"first", b"second"):
        encoder = negotiate(name)[1]
        assert encoder is not None
        frames.append(encoder.compress(text) + encoder.flush())
    body = b"".join(frames)
    assert decode(body, name) == b"firstsecond"
    decoder = Decoder(name)
    assert (
        b"".join(b"".join(decoder.feed(body[i : i + 1])) for i in range(len(body)))
        == b"firstsecond"
    )
    decoder.end()
