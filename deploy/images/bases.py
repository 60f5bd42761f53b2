"""What the Dockerfile grows on: the public bases, or replacements of the same content made on this machine.

Replacements have names of their own, never the public ones: what was pulled and what was made are not mistaken for one
another.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from images.docker import STATE, Docker, ImagesError, install, say

DOCKERFILE = Path(__file__).with_name("Dockerfile")
SUITE = "bookworm"
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")

_ARGUMENT = re.compile(r"^ARG (BASE|RUST|NODE)=(\S+)$", re.MULTILINE)
# What Debian's own slim image leaves out.
_SLIM = ("doc", "man", "locale", "info")


def public_bases(dockerfile: str) -> dict[str, str]:
    """The Dockerfile's arguments for bases, with their defaults."""
    return dict(_ARGUMENT.findall(dockerfile))


def choose(docker: Docker, environment: Mapping[str, str]) -> dict[str, str]:
    """Which image stands for each base: the one that the environment names, the public one, or one made here."""
    return {
        argument: environment.get(argument) or _find(docker, argument, public)
        for argument, public in public_bases(DOCKERFILE.read_text()).items()
    }


def _find(docker: Docker, argument: str, public: str) -> str:
    made, make = _REPLACEMENTS[argument]
    for name in (public, made):
        if docker.output("image", "inspect", name) is not None:
            return name
    say(f"pulling {public}")
    if docker.run("pull", "--quiet", public):
        return public
    say(f"no registry gives {public}: making {made} instead")
    make(docker, made)
    return made


def _make_debian(docker: Docker, name: str) -> None:
    """A minimal Debian by debootstrap, without documentation as in Debian's slim image."""
    install("debootstrap", "debootstrap")
    STATE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STATE.parent, prefix="debian-") as directory:
        root = Path(directory)
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, str(root), MIRROR], check=True)
        sources = [f"{MIRROR} {SUITE}", f"{MIRROR} {SUITE}-updates", f"{MIRROR}-security {SUITE}-security"]
        (root / "etc/apt/sources.list").write_text("".join(f"deb {each} main\n" for each in sources))
        excluded = "".join(f"path-exclude /usr/share/{each}/*\n" for each in _SLIM)
        (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(excluded)
        for each in (*(f"usr/share/{slim}" for slim in _SLIM), "var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / each)
            (root / each).mkdir()
        # The engine brings its own devices and processes.
        docker.import_image(name, ["tar", "-C", str(root), "--exclude=./dev/*", "-c", "."])


def _make_rust(docker: Docker, name: str) -> None:
    """The toolchain of this machine, where the official image has its own."""
    root = _host_path("rustc", "--print", "sysroot")
    folder = r"s,^\.,usr/local/rustup/toolchains/host,S"
    docker.import_image(name, ["tar", "-C", str(root), f"--transform={folder}", "-c", "./bin", "./lib"])


def _make_node(docker: Docker, name: str) -> None:
    """Node and npm of this machine, where the official image has its own."""
    root = _host_path("node", "-p", "process.execPath").parents[1]
    parts = ["bin/node", "bin/npm", "lib/node_modules/npm"]
    docker.import_image(name, ["tar", "-C", str(root), "--transform=s,^,usr/local/,S", "-c", *parts])


def _host_path(*command: str) -> Path:
    try:
        return Path(subprocess.check_output(command, text=True).strip()).resolve()
    except FileNotFoundError:
        raise ImagesError(f"{command[0]} is missing, and no registry is reached that has it") from None


_REPLACEMENTS: Mapping[str, tuple[str, Callable[[Docker, str], None]]] = {
    "BASE": (f"salon/base:{SUITE}", _make_debian),
    "RUST": ("salon/rust:host", _make_rust),
    "NODE": ("salon/node:host", _make_node),
}
