"""A room's link, and where it leads: `http://host:port/r/<room id>#<secret>`.

The secret stands in the fragment, so that it is never sent to the web server. Which signaling replicas serve the room is
said by `<origin>/config.json`, the same file that the web app reads.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from salon_common.errors import Code, SalonError, invalid
from salon_common.ids import RoomId, parse_room_id

_CONFIG_BYTES = 64 * 1024
_CONFIG_SECONDS = 5.0
_LINK_CHARACTERS = 2048


@dataclass(frozen=True)
class Link:
    """What opens a room."""

    origin: str
    """Scheme, host and port of the web app."""
    room_id: RoomId
    secret: str
    host_secret: str | None = None
    """Makes who joins with it the host; known to the room's creator alone."""

    @property
    def url(self) -> str:
        """The text that is shared."""
        return f"{self.origin}/r/{self.room_id}#{self.secret}"

    @property
    def host_url(self) -> str | None:
        """The link that makes its user the host. Not for sharing."""
        return f"{self.origin}/r/{self.room_id}#{self.host_secret}" if self.host_secret else None


def parse_link(text: str) -> Link:
    """Read a link as people paste it. Raises SalonError INVALID_ARGUMENT that says what is missing."""
    text = text.strip()
    if len(text) > _LINK_CHARACTERS:
        raise invalid("link", f"must be at most {_LINK_CHARACTERS} characters")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise invalid("link", "is not a web address") from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise invalid("link", "must start with http:// or https:// and a host")
    before, _, room = parts.path.rpartition("/")
    if before != "/r":
        raise invalid("link", "must look like http://host/r/<room>#<secret>")
    if not parts.fragment:
        raise invalid("link", "lacks the part after #: copy it whole (a shell needs quotes around it)")
    return Link(f"{parts.scheme}://{parts.netloc}", parse_room_id(room, "link"), parts.fragment)


def parse_config(data: bytes, host: str = "") -> Sequence[str]:
    """The gRPC addresses in a `config.json`: `host:port`, `https://host` for TLS, or `:port` at the site's own host.

    Raises SalonError UNAVAILABLE when there are none.
    """
    try:
        config = json.loads(data)
    except ValueError:
        config = None
    addresses = config.get("grpc") if isinstance(config, dict) else None
    if (
        not isinstance(addresses, list)
        or not addresses
        or not all(isinstance(each, str) for each in addresses)
    ):
        raise SalonError(
            Code.UNAVAILABLE, "the link's site names no address for native clients (`grpc` in config.json)"
        )
    return [f"{host}{each}" if each.startswith(":") else each for each in addresses]


async def find_signaling(origin: str) -> Sequence[str]:
    """The gRPC addresses of the replicas behind a link. Raises SalonError UNAVAILABLE."""
    host = urlsplit(origin).hostname or ""
    data = await asyncio.to_thread(_fetch, f"{origin}/config.json")
    return parse_config(data, f"[{host}]" if ":" in host else host)


async def demo_token(origin: str, name: str) -> str:
    """A token of the site's demo app, where it has one. Raises SalonError."""
    query = urlencode({"name": name})
    data = await asyncio.to_thread(_fetch, f"{origin}/demo/token?{query}")
    try:
        token = json.loads(data)["token"]
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str):
        raise SalonError(Code.UNAVAILABLE, f"{origin} has no demo app: give --token, or --app-key and --app")
    return token


def _fetch(url: str) -> bytes:
    try:
        with _opener(url).open(url, timeout=_CONFIG_SECONDS) as answer:
            data: bytes = answer.read(_CONFIG_BYTES)
            return data
    except (OSError, urllib.error.URLError) as error:
        raise SalonError(Code.UNAVAILABLE, f"cannot reach {url}: {error}") from None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Proxies of the environment are for other machines."""
    if is_loopback(urlsplit(url).hostname or ""):
        return urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    return host in ("localhost", "::1") or host.startswith("127.")
