"""The one transport that an offer's sections share: its bundle, ICE credentials, DTLS role and fingerprints.

Owns what concerns no section in particular; `offer` has the sections.
"""

import re
from dataclasses import dataclass
from typing import Final

from salon_common.errors import invalid

from salon_media.core import sdp
from salon_media.core.sdp import Description, MediaSection

_MID: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,16}")
"""A token (RFC 5888 section 4), no longer than a one-byte header extension carries (RFC 8285 section 4.2)."""
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")
_DIGEST_BYTES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_HEX_PAIRS: Final = re.compile(r"[0-9A-F]{2}(?::[0-9A-F]{2})*")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash of the client's certificate (RFC 8122)."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class OfferedTransport:
    """How the client wants to be reached. An ICE-lite node needs no more of its credentials than the ufrag."""

    ufrag: str
    fingerprints: tuple[Fingerprint, ...]


def read_transport(description: Description) -> OfferedTransport:
    """The bundle's transport. Raises SalonError INVALID_ARGUMENT about `offer`."""
    _check_bundle(description)
    # RFC 8843 section 7.2: a bundle's transport is that of its first section; RFC 8839 allows session level too.
    tagged = description.sections[0]
    _check_setup(description, tagged)
    ufrag = _required(description, tagged, "ice-ufrag", _UFRAG)
    _required(description, tagged, "ice-pwd", _PWD)
    return OfferedTransport(ufrag, _fingerprints(description, tagged))


def read_mid(section: MediaSection) -> str:
    """The section's id. Raises SalonError when there is none that fits."""
    attribute = section.first("mid")
    if attribute is None or not _MID.fullmatch(attribute.value):
        raise sdp.odd_section(section, "needs a=mid with 1-16 characters of a token")
    return attribute.value


def _check_bundle(description: Description) -> None:
    mids = [read_mid(section) for section in description.sections]
    if len(set(mids)) != len(mids):
        raise invalid("offer", "uses one a=mid for two sections")
    groups = [group.value.split() for group in description.session.all("group")]
    bundles = [group[1:] for group in groups if group[:1] == ["BUNDLE"]]
    if len(bundles) != 1 or bundles[0][:1] != mids[:1] or set(bundles[0]) != set(mids):
        raise invalid(
            "offer", "must have one a=group:BUNDLE that begins with the first section and names all"
        )


def _check_setup(description: Description, section: MediaSection) -> None:
    attribute = section.first("setup") or description.session.first("setup")
    # RFC 5763 section 5: the node answers "passive", so that a client's first flight needs no further round trip.
    if attribute is None or attribute.value not in ("actpass", "active"):
        raise invalid("offer", "needs a=setup:actpass: the client is the DTLS client")


def _required(description: Description, section: MediaSection, name: str, form: re.Pattern[str]) -> str:
    attribute = section.first(name) or description.session.first(name)
    if attribute is None:
        raise invalid("offer", f"needs a={name}")
    if not form.fullmatch(attribute.value):
        raise sdp.odd_line(attribute.number, f"has no valid {name} (RFC 8839 section 5.4)")
    return attribute.value


def _fingerprints(description: Description, section: MediaSection) -> tuple[Fingerprint, ...]:
    found: list[Fingerprint] = []
    for attribute in section.all("fingerprint") or description.session.all("fingerprint"):
        algorithm, _, value = attribute.value.partition(" ")
        algorithm, value = algorithm.lower(), value.upper()
        length = _DIGEST_BYTES.get(algorithm)
        if length is None:
            continue
        if len(value) != 3 * length - 1 or not _HEX_PAIRS.fullmatch(value):
            raise sdp.odd_line(
                attribute.number, f"must have {length} bytes in hexadecimal, separated by colons"
            )
        found.append(Fingerprint(algorithm, value))
    if not found or len(found) > len(_DIGEST_BYTES):
        raise invalid("offer", "needs one to three a=fingerprint lines with sha-256, sha-384 or sha-512")
    return tuple(found)
