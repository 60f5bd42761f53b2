"""A certificate authority for tests, and a server's certificate that it signed."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificates:
    """PEM files."""

    ca: Path
    cert: Path
    key: Path


def make_certificates(directory: Path, address: str = "127.0.0.1") -> Certificates:
    """A server at that address, vouched for by a new authority."""
    files = Certificates(directory / "ca.crt", directory / "tls.crt", directory / "tls.key")
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _name("Salon tests")
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    signed = [
        _builder(authority, authority_key, authority).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        ),
        _builder(_name("nats"), key, authority).add_extension(names, critical=False),
    ]
    for path, builder in zip((files.ca, files.cert), signed, strict=True):
        certificate = builder.sign(authority_key, hashes.SHA256())
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
