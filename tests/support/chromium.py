"""Finds Chromium, and installs it where that is possible: `python tests/support/chromium.py` prints its path.

Looked for in this order: $SALON_CHROMIUM, chromium or Chrome on the PATH, Playwright's own download. Where there is
none it is installed, by apt for root on Debian and Ubuntu, by Playwright elsewhere.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
)
"""What headless Chromium needs for WebRTC on one machine with no network."""


def find() -> str | None:
    """The path of a Chromium that is there already."""
    if named := os.environ.get("SALON_CHROMIUM"):
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    downloads = Path.home() / ".cache" / "ms-playwright"
    found = sorted(downloads.glob("chromium-*/chrome-linux*/chrome"))
    return str(found[-1]) if found else None


def install() -> None:
    """Install Chromium, saying how."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing chromium by apt", file=sys.stderr)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, stdout=sys.stderr)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
            check=False,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
    else:
        print("installing chromium by playwright", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def require() -> str:
    """The path of Chromium, installed if it must be. Ends the program with what to do if it cannot be had."""
    if find() is None:
        install()
    path = find()
    if path is None:
        sys.exit(
            "Chromium is needed for the browser tests and could not be installed: install it "
            "(Debian: apt-get install chromium) or set SALON_CHROMIUM to its path"
        )
    return path


if __name__ == "__main__":
    print(require())
