"""A session description (RFC 8866) as bounded lines, kept as they came.

Owns the grammar of lines and sections and their limits. What the lines mean is `offer`'s and `answer`'s business.
Every line survives a parse and a write, also those that nobody here understands.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from salon_common.errors import SalonError, invalid

MAX_BYTES: Final = 128 * 1024
MAX_SECTIONS: Final = 64
MAX_LINE_BYTES: Final = 4 * 1024
MAX_LINES: Final = 8192

_MEDIA_LINE = re.compile(r"([a-z]{1,16}) ([0-9]{1,5}) ([A-Za-z0-9/]{1,32})((?: [A-Za-z0-9._-]{1,32}){1,64})")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Line(NamedTuple):
    """`<kind>=<value>`; its number in the description counts from 1."""

    number: int
    kind: str
    value: str


class Attribute(NamedTuple):
    """An `a=` line: `a=name:value`, or `a=name` with an empty value."""

    number: int
    name: str
    value: str


class _Lines:
    """What the session part and the media sections have in common."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines)
        self._attributes: dict[str, list[Attribute]] = {}
        for line in self.lines:
            if line.kind == "a":
                name, _, value = line.value.partition(":")
                self._attributes.setdefault(name, []).append(Attribute(line.number, name, value))

    def all(self, name: str) -> Sequence[Attribute]:
        """Every attribute of that name, in order."""
        return self._attributes.get(name, ())

    def first(self, name: str) -> Attribute | None:
        """The first attribute of that name."""
        found = self._attributes.get(name)
        return found[0] if found else None

    def has(self, name: str) -> bool:
        """Whether there is an attribute of that name."""
        return name in self._attributes


class SessionPart(_Lines):
    """The lines before the first `m=`."""


class MediaSection(_Lines):
    """An `m=` line (RFC 8866 section 5.14) and those after it."""

    def __init__(self, index: int, lines: Sequence[Line]) -> None:
        super().__init__(lines)
        media = _MEDIA_LINE.fullmatch(lines[0].value)
        if media is None:
            raise odd_line(lines[0].number, "is no valid m= line")
        self.index = index
        self.kind = media[1]
        self.port = int(media[2])
        self.protocol = media[3]
        self.formats = tuple(media[4].split())

    @property
    def line_number(self) -> int:
        """Where the section begins, for messages."""
        return self.lines[0].number


@dataclass(frozen=True, slots=True)
class Description:
    """A whole session description."""

    session: SessionPart
    sections: tuple[MediaSection, ...]

    def __str__(self) -> str:
        parts: Iterator[_Lines] = iter((self.session, *self.sections))
        return "".join(f"{line.kind}={line.value}\r\n" for part in parts for line in part.lines)


def odd_line(number: int, problem: str) -> SalonError:
    """INVALID_ARGUMENT about one line of the offer."""
    return invalid("offer", f"line {number} {problem}")


def odd_section(section: MediaSection, problem: str) -> SalonError:
    """INVALID_ARGUMENT about one section of the offer."""
    return invalid("offer", f"section {section.index} (line {section.line_number}) {problem}")


def parse(text: str) -> Description:
    """Read a description. Raises SalonError INVALID_ARGUMENT that names the line and the limit."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise invalid("offer", f"is {size} bytes long, the limit is {MAX_BYTES}")
    lines = _split(text)
    if not lines or (lines[0].kind, lines[0].value) != ("v", "0"):
        raise invalid("offer", "must be an SDP: its first line must be v=0")
    starts = [position for position, line in enumerate(lines) if line.kind == "m"]
    if len(starts) > MAX_SECTIONS:
        raise invalid("offer", f"has {len(starts)} media sections, the limit is {MAX_SECTIONS}")
    bounds = [*starts, len(lines)]
    return Description(
        session=SessionPart(lines[: bounds[0]]),
        sections=tuple(
            MediaSection(index, lines[start:end]) for index, (start, end) in enumerate(pairwise(bounds))
        ),
    )


def _split(text: str) -> list[Line]:
    raw = text.split("\n")
    if raw[-1] == "":
        raw.pop()
    if len(raw) > MAX_LINES:
        raise invalid("offer", f"has {len(raw)} lines, the limit is {MAX_LINES}")
    return [_line(number, content.removesuffix("\r")) for number, content in enumerate(raw, start=1)]


def _line(number: int, content: str) -> Line:
    # RFC 8866 section 5: one lower-case letter, "=", and text without NUL, CR or LF.
    if len(content) > MAX_LINE_BYTES or len(content.encode("utf-8", "surrogatepass")) > MAX_LINE_BYTES:
        raise odd_line(number, f"is too long, the limit is {MAX_LINE_BYTES} bytes")
    if len(content) < 2 or content[1] != "=" or not "a" <= content[0] <= "z":
        raise odd_line(number, "is not of the form <letter>=<value>")
    if _CONTROL.search(content):
        raise odd_line(number, "contains a control character")
    return Line(number, content[0], content[2:])
