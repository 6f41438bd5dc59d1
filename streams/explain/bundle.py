"""One decision sealed in a file: facts, ticks, model and strategy, to be recomputed anywhere.

It is a zip with a manifest that has the SHA-256 of every part; the archive's comment ends in the
SHA-256 of all bytes before it, so no byte can change unseen. Who changes a part and seals it anew
makes another seal: keep the seal that `explain` printed, and give it to `--seal`. What is inside
is also recomputed, so a forged figure must come out of the ticks beside it.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from core import durable, strategy_set
from core.contracts.tick import TICK, TickArray
from core.errors import InputError
from core.fingerprint import fingerprint
from models.serving import artifact
from models.serving.manifest import name_of
from strategies import desk, plugins, select
from streams.explain.facts import Facts
from streams.explain.material import own_features
from streams.explain.recompute import Material

_MARK = b"tickhouse decision/1 sha256:"
_DIGITS = 64
_DESK = "desk.json"
_FEATURES = "features.json"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same decision gives the same bytes


class BundleManifest(msgspec.Struct, frozen=True):
    """What is inside."""

    parts: dict[str, str]  # name to SHA-256
    written_on: dict[str, str]


class Opened(NamedTuple):
    """A bundle whose seal holds."""

    facts: Facts
    material: Material
    seal: str
    written_on: dict[str, str]


def write(path: Path, facts: Facts, material: Material) -> str:
    """Write the file, whole or not at all, and return its seal."""
    # The strategy's file, and those of own features, are parts of their own.
    stored = msgspec.structs.replace(facts, strategy=b"", own_features=b"")
    parts = {"facts.json": msgspec.json.encode(stored)}
    for symbol, ticks in sorted(material.ticks.items()):
        parts[f"ticks/{symbol}.npy"] = _to_npy(ticks)
    parts |= _model_parts(material.artifact)
    name = facts.signal.strategy
    if facts.own_features:
        parts[_FEATURES] = facts.own_features
    if material.desk:
        parts[_DESK] = desk.content(material.desk, material.folder_of)
    elif own := b"" if name in select.shipped() else plugins.content(name, material.strategies):
        parts[f"strategies/{strategy_set.file_name(own, name)}"] = own
    content, seal = _sealed(parts)
    durable.write(path, content)
    return seal


def read(path: Path, scratch: Path, seal: str = "") -> Opened:
    """Open a bundle; parts are unpacked into `scratch`.

    Args:
        seal: what it must be; "" accepts any that holds.

    Raises:
        InputError: no bundle, changed, another than `seal`, or with code and no `seal` given.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    actual = _seal_of(path, content)
    if seal and seal != actual:
        raise InputError(str(path), f"its seal is {actual}, not {seal}: another or a forged bundle")
    parts, manifest = _parts(path, content)
    text = desk.kept(parts.get(_DESK, b""))
    own = any(name.startswith("strategies/") or name == _FEATURES for name in parts)
    if not seal and (own or (text and text.strategies)):
        raise InputError(
            str(path), "holds a person's strategy or features, whose code would run: give the"
            " --seal that you were told by someone you trust"
        )  # fmt: skip
    for name, data in parts.items():
        target = scratch / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    facts = msgspec.json.decode(parts["facts.json"], type=Facts)
    facts = msgspec.structs.replace(facts, own_features=parts.get(_FEATURES, b""))
    for name in filter(lambda name: name.startswith("strategies/"), parts):
        strategy_set.unpack(parts[name], facts.signal.strategy, scratch / "strategies")
    material = _material(parts, facts, scratch)
    if text:
        material = material._replace(desk=desk.unpacked(text, scratch / "strategies"))
    return Opened(facts, material, actual, manifest.written_on)


def _model_parts(model: artifact.Artifact | None) -> dict[str, bytes]:
    """The files that a registry has of a model."""
    if model is None:
        return {}
    name = f"models/{model.card.sha256}"
    parts = {f"{name}.model": model.manifest, f"{name}.json": msgspec.json.encode(model.card)}
    for member, onnx in model.members.items():
        parts[f"models/{name_of(onnx)}.onnx"] = onnx
        if member in model.boosters:
            parts[f"models/{name_of(onnx)}.booster"] = model.boosters[member]
    return parts


def _material(parts: Mapping[str, bytes], facts: Facts, scratch: Path) -> Material:
    ticks = {
        Path(name).stem: _from_npy(data)
        for name, data in parts.items()
        if name.startswith("ticks/")
    }
    models = scratch / "models"
    named = sorted(p.stem for p in models.glob("*.model")) if models.is_dir() else []
    model = artifact.load(models, named[0]) if named else None
    return Material(
        ticks, model, scratch / "strategies", features=own_features(facts.own_features, scratch)
    )


def _sealed(parts: Mapping[str, bytes]) -> tuple[bytes, str]:
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    manifest = msgspec.json.format(msgspec.json.encode(BundleManifest(hashes, fingerprint())))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"manifest.json": manifest, **parts}.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
        archive.comment = _MARK + b"0" * _DIGITS
    body = out.getvalue()[:-_DIGITS]
    seal = hashlib.sha256(body).hexdigest()
    return body + seal.encode(), seal


def _seal_of(path: Path, content: bytes) -> str:
    body, seal = content[:-_DIGITS], content[-_DIGITS:]
    if not body.endswith(_MARK):
        raise InputError(str(path), "no bundle of `tickhouse explain --bundle`, or cut off")
    if hashlib.sha256(body).hexdigest().encode() != seal:
        raise InputError(str(path), "CHANGED since it was sealed: its SHA-256 is another")
    return seal.decode()


def _parts(path: Path, content: bytes) -> tuple[dict[str, bytes], BundleManifest]:
    """All parts but the manifest; exactly those it names, with its hashes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        manifest = msgspec.json.decode(parts.pop("manifest.json"), type=BundleManifest)
    except (zipfile.BadZipFile, KeyError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"its content is damaged: {error}") from error
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    if hashes != manifest.parts or "facts.json" not in parts:
        wrong = sorted({*hashes.items()} ^ {*manifest.parts.items()})
        raise InputError(str(path), f"FORGED: its manifest does not fit {wrong[0][0]}")
    if any(".." in Path(name).parts or Path(name).is_absolute() for name in parts):
        raise InputError(str(path), "FORGED: a part would be written outside of its folder")
    return parts, manifest


def _to_npy(ticks: TickArray) -> bytes:
    out = io.BytesIO()
    np.save(out, ticks, allow_pickle=False)
    return out.getvalue()


def _from_npy(content: bytes) -> TickArray:
    ticks = np.load(io.BytesIO(content), allow_pickle=False)
    if ticks.dtype != TICK:
        raise InputError("ticks", "are of another layout than this version's")
    return np.asarray(ticks)
