"""Finds coturn, and gets it where that is possible: $SALON_TURNSERVER, the PATH, then Debian's packages in `.tools/coturn`."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from support.debian import TOOLS, unpack

PACKAGES = (
    "coturn",
    *("libevent-core-2.1-7", "libevent-extra-2.1-7", "libevent-openssl-2.1-7", "libevent-pthreads-2.1-7"),
    *("libhiredis0.14", "libmariadb3", "libpq5"),
)
"""With the libraries that machines seldom have."""


def turnserver() -> tuple[Path, Mapping[str, str]]:
    """The server, and the environment that it needs. Ends the program with what to do if it cannot be had."""
    named = os.environ.get("SALON_TURNSERVER") or shutil.which("turnserver")
    if named:
        return Path(named), os.environ
    files = TOOLS / "coturn"
    if not files.exists():
        unpack("coturn", PACKAGES)
    binary = files / "usr" / "bin" / "turnserver"
    if not binary.exists():
        sys.exit(
            "coturn is needed and could not be had: install it (Debian: apt-get install coturn) "
            "or set SALON_TURNSERVER to its path"
        )
    libraries = ":".join(str(path) for path in sorted((files / "usr" / "lib").glob("*-linux-gnu*")))
    return binary, {**os.environ, "LD_LIBRARY_PATH": libraries}
