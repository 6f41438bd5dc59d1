from pathlib import Path

import msgspec
import pytest

from core import checked_json


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    number: float = 1.5


WORD = Word("halted, Ünï", 2.25)


def test_what_was_written_is_read_back_however_it_is_laid_out() -> None:
    content = checked_json.encode(WORD)
    assert checked_json.decode(content, Word) == WORD
    assert checked_json.decode(msgspec.json.format(content, indent=4), Word) == WORD


def test_every_changed_bit_is_seen_or_changes_nothing() -> None:
    content = checked_json.encode(WORD)
    for place in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            try:
                assert checked_json.decode(bytes(changed), Word) == WORD
            except msgspec.DecodeError:
                continue


def test_a_file_of_before_and_one_whose_check_was_removed_are_believed() -> None:
    assert checked_json.decode(b'{"text":"by hand"}', Word) == Word("by hand")
    with pytest.raises(msgspec.DecodeError, match="remove the field 'check'"):
        checked_json.decode(checked_json.encode(WORD).replace(b"2.25", b"9.25"), Word)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b'{"check":"x"}'])
def test_what_is_no_such_value_is_refused(content: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        checked_json.decode(content, Word)


def test_a_link_is_no_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(checked_json.encode(WORD))
    (tmp_path / "link").symlink_to("real")
    assert checked_json.read(tmp_path / "real", Word) == WORD
    with pytest.raises(OSError, match="link"):
        checked_json.read(tmp_path / "link", Word)
