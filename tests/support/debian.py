"""Unpacks packages of Debian into `.tools`: nothing is installed, so no service of theirs starts."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / ".tools"


def unpack(into: str, packages: Sequence[str]) -> Path:
    """`.tools/<into>` with the packages' files, downloaded if it is not there; who comes meanwhile waits.

    It is not there afterwards where packages cannot be had.
    """
    target = TOOLS / into
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{into}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
            _download(target, packages)
    return target


def _download(target: Path, packages: Sequence[str]) -> None:
    print(f"unpacking Debian's {', '.join(packages)}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=TOOLS) as name:
        directory = Path(name)
        download = ["apt-get", "download", "-qq", *packages]
        if not _run(download, directory) and os.geteuid() == 0:
            _run(["apt-get", "update", "-qq"], directory)
            _run(download, directory)
        found = list(directory.glob("*.deb"))
        if len(found) == len(packages) and all(
            _run(["dpkg-deb", "--extract", str(package), "files"], directory) for package in found
        ):
            (directory / "files").rename(target)


def _run(command: list[str], directory: Path) -> bool:
    return subprocess.run(command, check=False, cwd=directory, stdout=sys.stderr).returncode == 0
