"""Ed25519 signatures with a key that lives outside TICKHOUSE_HOME.

Whoever can rewrite the journal can rewrite everything else in the home too; the key must be
where that person cannot reach it: another user's directory, a mounted token, another machine.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import InputError, SettingsError


def generate(path: Path, home: Path) -> Path:
    """Make a key pair: the private key at `path`, readable by its owner, the public one beside it.

    Raises:
        SettingsError: inside the home, or something stands there already.
    """
    refuse_inside(path, home)
    public = path.with_name(path.name + ".pub")
    for file_path in (path, public):
        if file_path.exists():
            raise SettingsError(f"{file_path} exists and is not overwritten; give another path")
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as private:
        private.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return public


def refuse_inside(path: Path, home: Path) -> None:
    """A key within the home would be changed by whoever changes the home.

    Raises:
        SettingsError: it is inside.
    """
    if path.resolve().is_relative_to(home.resolve()):
        raise SettingsError(f"{path} is inside {home}: the signing key must live outside it")


def sign(path: Path, home: Path, content: bytes) -> bytes:
    """The signature of some bytes, 64 bytes.

    Raises:
        SettingsError: the key is inside the home.
        InputError: no Ed25519 private key stands there.
    """
    refuse_inside(path, home)
    key = _loaded(path, private=True)
    assert isinstance(key, Ed25519PrivateKey)
    return key.sign(content)


def fits(path: Path, content: bytes, signature: bytes) -> bool:
    """Whether a signature was made over these bytes with the key of this public one.

    Raises:
        InputError: no Ed25519 public key stands there.
    """
    key = _loaded(path, private=False)
    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _loaded(path: Path, *, private: bool) -> Ed25519PrivateKey | Ed25519PublicKey:
    try:
        pem = path.read_bytes()
        key: object = (
            serialization.load_pem_private_key(pem, None)
            if private
            else serialization.load_pem_public_key(pem)
        )
    except (OSError, ValueError, TypeError) as error:
        problem = f"no usable key ({error}); make one: tickhouse audit keygen PATH"
        raise InputError(str(path), problem) from error
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise InputError(str(path), "not an Ed25519 key; make one: tickhouse audit keygen PATH")
    return key
