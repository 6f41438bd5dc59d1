"""Content encodings of request and answer."""

import pytest

from adapters.clickhouse.embedded.encoding import decode, encode


@pytest.mark.parametrize("name", ["gzip", "deflate", "lz4", "zstd"])
def test_what_is_encoded_is_decoded(name: str) -> None:
    body = b"tick" * 1000
    encoded, used = encode(body, name)
    assert used == name
    assert len(encoded) < len(body)
    assert decode(encoded, name) == body


@pytest.mark.parametrize(
    ("accepted", "used"), [("br, zstd;q=1, gzip", "zstd"), ("", ""), ("br", "")]
)
def test_the_first_known_encoding_is_used(accepted: str, used: str) -> None:
    assert encode(b"x", accepted)[1] == used


@pytest.mark.parametrize("name", ["gzip", "deflate", "lz4", "zstd", "br"])
def test_garbage_and_unknown_encodings_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        decode(b"no such encoding", name)
