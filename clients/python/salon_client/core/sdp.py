"""What the client needs to know of session descriptions beside what aiortc does: order of sections, RTX pairs, addresses.

A section's role follows from its place among the sections of its kind and direction in the offer; nothing else names it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

SPEECH_SLOTS = 3
PROGRAMME_SLOTS = 1
MAX_VIDEO_SLOTS = 25
DEFAULT_VIDEO_SLOTS = 4

_DIRECTIONS = frozenset({"sendonly", "recvonly", "sendrecv", "inactive"})
_FID = re.compile(r"a=ssrc-group:FID (\d{1,10}) (\d{1,10})")
# a=candidate:<foundation> <component> udp <priority> <address> <port> typ host (RFC 8839 section 5.1)
_CANDIDATE = re.compile(r"a=candidate:(\S+ \d+ udp \d+ (\S+) \d+ typ host)", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """One media section, as far as its role goes."""

    kind: str
    direction: str
    mid: str


def sections(description: str) -> Sequence[Section]:
    """The media sections in order. The direction is sendrecv where none is given (RFC 8866 section 6.7)."""
    found: list[Section] = []
    for block in re.split(r"\r?\n(?=m=)", description)[1:]:
        lines = block.splitlines()
        attributes = [line[2:] for line in lines if line.startswith("a=")]
        direction = next((each for each in attributes if each in _DIRECTIONS), "sendrecv")
        mid = next((each[4:] for each in attributes if each.startswith("mid:")), "")
        found.append(Section(lines[0][2:].split(" ", 1)[0], direction, mid))
    return tuple(found)


def rtx_pairs(description: str) -> dict[int, int]:
    """The media SSRC of each RTX SSRC (RFC 5576 section 4.2, RFC 4588 section 8.1)."""
    return {int(pair[2]): int(pair[1]) for pair in _FID.finditer(description)}


def candidate_addresses(description: str) -> Sequence[str]:
    """The distinct addresses of the host candidates, in order."""
    return tuple(dict.fromkeys(match[2] for match in _CANDIDATE.finditer(description)))


def host_candidates(description: str) -> Sequence[str]:
    """The distinct host candidates, in order, each as the text after `candidate:`."""
    return tuple(dict.fromkeys(match[1] for match in _CANDIDATE.finditer(description)))
