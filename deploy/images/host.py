"""What the host knows about its network and the build must know too, as BuildKit secrets: no image keeps any of it."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
# How packages are fetched; nothing about what is done with them.
_APT = re.compile(r"^Acquire::(?:https?|Check-|Retries|ForceIPv)")


def arguments(directory: Path) -> list[str]:
    """Arguments of `docker build`. `directory` is for files that must be there while it runs."""
    given: list[str] = []
    for name, places in _files(Path.home(), os.environ).items():
        if found := next((place for place in places if place.is_file()), None):
            given += ["--secret", f"id={name},src={found}"]
    if shutil.which("apt-config"):
        dump = subprocess.check_output(["apt-config", "dump", "Acquire"], text=True)
        settings = directory / "apt.conf"
        settings.write_text(apt_settings(dump))
        given += ["--secret", f"id=apt,src={settings}"]
    for name in _PROXIES:
        if value := os.environ.get(name) or os.environ.get(name.lower()):
            given += ["--build-arg", f"{name}={value}"]
    return given


def apt_settings(dump: str) -> str:
    """Of all settings under Acquire those that say how to reach a mirror and what to believe of it."""
    return "".join(f"{line}\n" for line in dump.splitlines() if _APT.match(line))


def _files(home: Path, environment: Mapping[str, str]) -> Mapping[str, Sequence[Path]]:
    """By secret where its file may be, the first that exists counts."""
    named = environment.get("SSL_CERT_FILE")
    return {
        "ca": [*([Path(named)] if named else []), Path("/etc/ssl/certs/ca-certificates.crt")],
        "pip": [home / ".config/pip/pip.conf", home / ".pip/pip.conf", Path("/etc/pip.conf")],
        "uv": [home / ".config/uv/uv.toml", Path("/etc/uv/uv.toml")],
        "npm": [home / ".npmrc"],
        "cargo": [home / ".cargo/config.toml"],
    }
