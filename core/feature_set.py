"""A person's own features as one text under one hash: what a session keeps, and explain unpacks."""

from pathlib import Path

import msgspec

from core import durable
from core.errors import SettingsError

FOLDER = "features"  # of a home, and of a run that keeps its own copy


class FeatureSet(msgspec.Struct, frozen=True, tag="Features/1"):
    """The files of own features, their text by name."""

    features: dict[str, str]


def of_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder by the features' names."""
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.py"))}


def packed(files: dict[str, bytes]) -> bytes:
    """The text to keep; b"" without any feature.

    Raises:
        SettingsError: a file is no UTF-8.
    """
    texts = {}
    for name, body in sorted(files.items()):
        try:
            texts[name] = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SettingsError(f"feature {name}.py: no UTF-8 text: {error}") from error
    return msgspec.json.encode(FeatureSet(texts), order="sorted") if texts else b""


def unpacked(body: bytes, folder: Path) -> Path:
    """The folder, with the features of a text written into it, and no other.

    Raises:
        SettingsError: the text is none of `packed`, or names a file elsewhere.
    """
    texts = _decoded(body).features if body else {}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for other in {path.stem for path in folder.glob("*.py")} - set(texts):
        (folder / f"{other}.py").unlink()
    for name, text in texts.items():
        if not name.isidentifier():
            raise SettingsError(f"own features: they hold {name!r}, which is no feature's name")
        path = folder / f"{name}.py"
        if not path.is_file() or path.read_bytes() != text.encode():
            durable.write(path, text.encode())
    return folder


def _decoded(body: bytes) -> FeatureSet:
    try:
        return msgspec.json.decode(body, type=FeatureSet)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(f"own features: their kept text is damaged: {error}") from error
