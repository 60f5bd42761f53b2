"""Other releases of the services, beside the one under test: as settings that a `Stack` gives to a kind of service.

The release before this one is the commit that last renewed `proto/released.binpb`: its code, with the libraries and the engine
of today. A later release cannot be had; what matters of it is that it knows a later format of rooms.
"""

import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("services/common", "services/rooms", "services/signaling")
SAYS: Final = "this is the release in "
"""What each process of another release says first."""
LATER_FORMAT: Final = 2

Settings = dict[str, str]

THIS: Final[Settings] = {}


def previous(directory: Path) -> Settings:
    """The release before this one, unpacked into a directory."""
    archive = directory / "release.tar"
    archive.write_bytes(_run("git", "archive", _released(), "proto", *SOURCES))
    with tarfile.open(archive) as tar:
        tar.extractall(directory, filter="data")
    protocol = directory / "proto"
    stubs = protocol / "gen"
    stubs.mkdir()
    files = [str(path.relative_to(protocol)) for path in protocol.glob("salon/*/v1/*.proto")]
    compiler = (sys.executable, "-m", "grpc_tools.protoc", "-I.", "--python_out=gen", "--grpc_python_out=gen")
    _run(*compiler, *files, cwd=protocol)
    return _settings(directory, "", stubs, *(directory / source for source in SOURCES))


def formats_before() -> tuple[int, int]:
    """The formats of rooms that the release before this one makes, and knows at most."""
    code = _run("git", "show", f"{_released()}:services/rooms/salon_rooms/core/formats.py").decode()
    found = dict(re.findall(r"^(MADE|KNOWN): Final = (\d+)$", code, re.MULTILINE))
    return int(found["MADE"]), int(found["KNOWN"])


def later(directory: Path) -> Settings:
    """A release that makes rooms of a format that this one does not know."""
    patch = f"from salon_rooms.core import formats\nformats.MADE = formats.KNOWN = {LATER_FORMAT}\n"
    return _settings(directory, patch)


def _released() -> str:
    return _run("git", "log", "-1", "--format=%H", "--", "proto/released.binpb").decode().strip()


def _settings(directory: Path, code: str, *paths: Path) -> Settings:
    """Python runs `sitecustomize` before anything else, and takes modules from PYTHONPATH before those that are installed."""
    said = f"import sys\nprint({SAYS + str(directory)!r}, salon_common.__file__, file=sys.stderr)\n"
    (directory / "sitecustomize.py").write_text(f"import salon_common\n{code}{said}")
    return {"PYTHONPATH": ":".join(map(str, (directory, *paths)))}


def _run(*command: str, cwd: Path = ROOT) -> bytes:
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE).stdout
