"""Makes an authority of one's own and certificates that it signs, or takes those that are given.

The authority lasts ten years and signs nothing but servers of its home; its key never leaves the
folder and only its owner may read it. A server's certificate lasts 397 days, the longest that
browsers take.
"""

import datetime
import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from core import tls
from core.credentials import read_private, write_private
from core.errors import InputError, SettingsError

DAYS, _AUTHORITY_DAYS = 397, 3653
_ALWAYS = ("localhost", "127.0.0.1", "::1")
_A_LITTLE = datetime.timedelta(hours=1)  # clocks of other machines may be behind


def issue(home: Path, names: Sequence[str], now: datetime.datetime, days: int = DAYS) -> None:
    """A new certificate for this machine and these names; the authority too, if there is none.

    Args:
        home: gets `tls/`.
        names: host names and addresses by which it is reached, besides those it has already.
        now: it is valid from then, UTC.
        days: for so long.

    Raises:
        InputError: a name that cannot be one.
        SettingsError: the authority was given, and its key is not here.
    """
    folder = tls.directory_of(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / tls.AUTHORITY).exists():
        _make_authority(folder, now)
    authority, key = _authority(folder)
    wanted = dict.fromkeys((*_ALWAYS, socket.gethostname(), *_had(folder), *names))
    own = ec.generate_private_key(ec.SECP256R1())
    shown = _server(own.public_key(), [_name(name) for name in wanted], authority, now, days)
    _write(folder, tls.KEY, _private(own))
    _write(folder, tls.CERTIFICATE, _pem(shown.sign(key, hashes.SHA256())) + _pem(authority))


def take(home: Path, certificate: Path, key: Path, authority: Path, now: datetime.datetime) -> None:
    """Use those that somebody else signed: a PEM chain, its key, and who signed it.

    Raises:
        InputError: they do not belong together, have expired, or are not for this machine.
    """
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        roots = x509.load_pem_x509_certificates(authority.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            str(certificate), f"{error}; PEM files are needed, the key plain"
        ) from error
    if private.public_key() != chain[0].public_key():
        raise InputError(str(key), f"is not the key of {certificate}")
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    judge = PolicyBuilder().store(Store(roots)).time(now).build_server_verifier(address)
    try:
        judge.verify(chain[0], chain[1:])
    except VerificationError as error:
        raise InputError(
            str(certificate), f"{error}; it must be for 127.0.0.1 too, as processes here ask it so"
        ) from error
    folder = tls.directory_of(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder, tls.KEY, key.read_bytes())
    _write(folder, tls.CERTIFICATE, certificate.read_bytes())
    _write(folder, tls.AUTHORITY, authority.read_bytes())  # last: it is what switches TLS on


def shown(home: Path) -> x509.Certificate:
    """The certificate that servers of a home show.

    Raises:
        SettingsError: there is none that can be read.
    """
    path = tls.directory_of(home) / tls.CERTIFICATE
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}; make another: tickhouse tls") from error


def names_of(certificate: x509.Certificate) -> list[str]:
    """The host names and addresses that it is for."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _make_authority(folder: Path, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tickhouse home")])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _certificate(named, named, key.public_key(), now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(True, 0), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    _write(folder, tls.AUTHORITY_KEY, _private(key))
    _write(folder, tls.AUTHORITY, _pem(certificate))


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path = folder / tls.AUTHORITY_KEY
    try:
        key = serialization.load_pem_private_key(read_private(path), None)
        authority = x509.load_pem_x509_certificate((folder / tls.AUTHORITY).read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path}: {error}; if the certificate was given, give the new one with --certificate, "
            f"--key and --authority; else remove {folder} and make all anew"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError(f"{path} is no key of Tickhouse's: remove {folder} and make all anew")
    return authority, key


def _server(
    key: ec.EllipticCurvePublicKey,
    names: list[x509.GeneralName],
    authority: x509.Certificate,
    now: datetime.datetime,
    days: int,
) -> x509.CertificateBuilder:
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tickhouse")])
    signer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        _certificate(named, authority.subject, key, now, days)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectAlternativeName(names), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), False
        )
    )


def _certificate(
    named: x509.Name,
    signer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(signer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _A_LITTLE)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _had(folder: Path) -> list[str]:
    path = folder / tls.CERTIFICATE
    return names_of(x509.load_pem_x509_certificate(path.read_bytes())) if path.exists() else []


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return x509.DNSName(text)
    except ValueError as error:
        raise InputError("--name", f"{text!r} is no host name or address") from error


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(folder: Path, name: str, content: bytes) -> None:
    write_private(folder / name, content.decode("ascii"))
