"""Finds Prometheus and promtool, and gets them where that is possible.

Looked for in this order: $SALON_PROMETHEUS and $SALON_PROMTOOL, the PATH, `.tools/prometheus`. Where there is none, Debian's
package is unpacked into the latter: nothing is installed, so no service of its own starts.
"""

import os
import shutil
import sys
from pathlib import Path

from support.debian import TOOLS, unpack

PACKAGE = "prometheus"


def prometheus_binary() -> Path:
    """The server. Ends the program with what to do if it cannot be had."""
    return _require("prometheus", "SALON_PROMETHEUS")


def promtool_binary() -> Path:
    """The checker of rules and settings. Ends the program with what to do if it cannot be had."""
    return _require("promtool", "SALON_PROMTOOL")


def find(name: str, variable: str) -> Path | None:
    """The path of a program that is there already."""
    named = os.environ.get(variable) or shutil.which(name)
    if named:
        return Path(named)
    unpacked = TOOLS / PACKAGE / "usr" / "bin" / name
    return unpacked if unpacked.exists() else None


def _require(name: str, variable: str) -> Path:
    if find(name, variable) is None:
        unpack(PACKAGE, [PACKAGE])
    path = find(name, variable)
    if path is None:
        sys.exit(
            f"{name} is needed and could not be had: install it (Debian: apt-get install prometheus) "
            f"or set {variable} to its path"
        )
    return path
