"""A stream that was changed in any way is refused in words, whatever its length."""

from pathlib import Path

import pytest

from adapters.offsite.sealed import PIECE, cut, make_key, opened, read_key, sealed
from core.errors import InputError, SettingsError

KEY, OTHER = bytes(range(32)), bytes(32)
LENGTHS = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7]


def blocks(content: bytes, size: int = 100_003) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def closed(length: int) -> tuple[bytes, bytes]:
    plain = (bytes(range(251)) * (length // 251 + 1))[:length]
    return plain, b"".join(sealed(blocks(plain), KEY))


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_sealed_comes_back(length: int) -> None:
    plain, content = closed(length)
    assert b"".join(opened(blocks(content), KEY, "x")) == plain
    assert plain[:64] not in content or length < 64


@pytest.mark.parametrize("length", LENGTHS)
def test_another_key_is_named_as_the_reason(length: int) -> None:
    with pytest.raises(InputError, match="another key"):
        list(opened(blocks(closed(length)[1]), OTHER, "x"))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("at", [0, 25, 60, -1, -PIECE - 40])
def test_a_flipped_bit_is_refused(length: int, at: int) -> None:
    content = bytearray(closed(length)[1])
    content[max(at, -len(content))] ^= 1
    with pytest.raises(InputError):
        list(opened(blocks(bytes(content)), KEY, "x"))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("lost", [1, 16, PIECE + 16, 2 * PIECE])
def test_a_stream_that_was_cut_off_is_refused(length: int, lost: int) -> None:
    content = closed(length)[1]
    with pytest.raises(InputError):
        list(opened(blocks(content[: max(len(content) - lost, 0)]), KEY, "x"))


def test_pieces_cannot_change_places_or_streams() -> None:
    content, head, piece = closed(3 * PIECE)[1], 59, PIECE + 16
    parts = [content[:head], *(content[head + n * piece :][:piece] for n in range(3))]
    for wrong in ([0, 2, 1, 3], [0, 1, 1, 2, 3], [0, 1, 3], [0, 1, 2]):
        with pytest.raises(InputError, match="was changed"):
            list(opened([parts[n] for n in wrong], KEY, "x"))
    other = closed(3 * PIECE)[1]
    with pytest.raises(InputError, match="was changed"):
        list(opened([content[: head + piece], other[head + piece :]], KEY, "x"))


def test_no_two_streams_are_alike() -> None:
    assert closed(5)[1] != closed(5)[1]


def test_what_is_no_backup_is_said_to_be_none() -> None:
    for content in (b"", b"PK", b"x" * 1000):
        with pytest.raises(InputError, match="no backup"):
            list(opened([content], KEY, "x"))


def test_blocks_of_any_size_are_cut_alike() -> None:
    content = bytes(range(256)) * 40
    for size in (1, 7, 256, 10_240, 20_000):
        assert list(cut(blocks(content, size), 4096)) == blocks(content, 4096)
    assert [len(p) for p in cut([content], 4096, 59)] == [59, 4096, 4096, 1989]


def test_a_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "k"
    make_key(path)
    key = read_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="exists already"):
        make_key(path)
    assert read_key(path) == key
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="others may read it"):
        read_key(path)


@pytest.mark.parametrize("content", [None, b"", b"short\n", b"not base 64!" * 4, b"QUJD"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "k"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(SettingsError, match=r"backup\.keyfile"):
        read_key(path)
