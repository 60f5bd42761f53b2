"""Files of the built web app, as answers: content types, caching, compression, and no way out of the directory."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

_COMPRESSIBLE = (
    "text/",
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "image/svg+xml",
)
_COMPRESS_FROM_BYTES = 1024
_PATH_BYTES = 200
"""Less than the shortest limit of a file system's names."""
_YEAR_SECONDS = 31_536_000

# The operating system's table may lack these or say otherwise, and browsers refuse modules of another type.
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}

MISSING_PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Salon</title>
<h1>Salon is running, the web app is not built</h1>
<p>Build it with <code>make web</code> and load this page again.
The services are up: <code>salon join</code> works without it.</p></html>
"""


@dataclass(frozen=True)
class File:
    """One file as it is sent."""

    body: bytes
    content_type: str
    etag: str
    cache_control: str
    compressed: bytes | None


class StaticSite:
    """The files under one directory. Read again when they change, so that a rebuild shows at once."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._cache: dict[Path, tuple[int, File]] = {}

    def find(self, url_path: str) -> File | None:
        """The file at a decoded path such as `/assets/app.js`; None when there is none inside the root."""
        relative = url_path.lstrip("/")
        if len(url_path.encode(errors="replace")) > _PATH_BYTES or "\0" in relative or "\\" in relative:
            return None
        # Links are followed before the comparison: neither `..` nor a link leads out.
        path = (self._root / relative).resolve()
        return self._load(path) if path.is_relative_to(self._root) and path.is_file() else None

    def page(self) -> File:
        """The app's page: it decides itself what its path means. A plain one when the app is not built."""
        return self.find("/index.html") or _make_file(MISSING_PAGE, "text/html", immutable=False)

    def _load(self, path: Path) -> File:
        modified = path.stat().st_mtime_ns
        known = self._cache.get(path)
        if known is None or known[0] != modified:
            content_type = (
                _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            )
            # The bundler puts a hash of the content into names under assets/: such a file never changes.
            immutable = path.is_relative_to(self._root / "assets")
            known = (modified, _make_file(path.read_bytes(), content_type, immutable=immutable))
            self._cache[path] = known
        return known[1]


def _make_file(body: bytes, content_type: str, *, immutable: bool) -> File:
    compressible = content_type.startswith(_COMPRESSIBLE) and len(body) >= _COMPRESS_FROM_BYTES
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    return File(
        body,
        content_type + charset,
        f'"{hashlib.sha256(body).hexdigest()[:16]}"',
        f"public, max-age={_YEAR_SECONDS}, immutable" if immutable else "no-cache",
        gzip.compress(body, 6, mtime=0) if compressible else None,
    )
