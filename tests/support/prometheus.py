"""Finds Prometheus and promtool, and gets them where that is possible: `python tests/support/prometheus.py` prints their paths.

Looked for in this order: $SALON_PROMETHEUS and $SALON_PROMTOOL, the PATH, `.tools/prometheus`. Where there is none, Debian's
package is unpacked into the latter: nothing is installed, so no service of its own starts.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UNPACKED = Path(__file__).resolve().parents[2] / ".tools" / "prometheus"


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
    unpacked = UNPACKED / "usr" / "bin" / name
    return unpacked if unpacked.exists() else None


def unpack() -> None:
    """Download Debian's package and unpack it into `.tools/prometheus`; who comes meanwhile waits."""
    UNPACKED.parent.mkdir(parents=True, exist_ok=True)
    with UNPACKED.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not UNPACKED.exists() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
            _download()


def _download() -> None:
    print("unpacking Debian's package prometheus", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=UNPACKED.parent) as name:
        directory = Path(name)
        download = ["apt-get", "download", "-qq", "prometheus"]
        if _run(download, directory) != 0 and os.geteuid() == 0:
            _run(["apt-get", "update", "-qq"], directory)
            _run(download, directory)
        for package in directory.glob("prometheus_*.deb"):
            if _run(["dpkg-deb", "--extract", str(package), "files"], directory) == 0:
                (directory / "files").rename(UNPACKED)


def _run(command: list[str], directory: Path) -> int:
    return subprocess.run(command, check=False, cwd=directory, stdout=sys.stderr).returncode


def _require(name: str, variable: str) -> Path:
    if find(name, variable) is None:
        unpack()
    path = find(name, variable)
    if path is None:
        sys.exit(
            f"{name} is needed and could not be had: install it (Debian: apt-get install prometheus) "
            f"or set {variable} to its path"
        )
    return path


if __name__ == "__main__":
    print(prometheus_binary(), promtool_binary(), sep="\n")
