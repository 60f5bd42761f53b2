"""The protocol only grows: what was released goes on being understood. `make lint-proto` sees to it; here is what it sees."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROTO = Path(__file__).parents[2] / "proto"
BUF = Path(sys.executable).with_name("buf")

Edit = Callable[[str], str]


def breaking(directory: Path) -> list[str]:
    """What `buf breaking` has against the protocol in a directory."""
    run = subprocess.run(
        [BUF, "breaking", "--against", "released.binpb"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in (0, 100), run.stderr  # 100: it found something
    return run.stdout.splitlines()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the protocol, to be changed."""
    for name in ("salon", "buf.yaml", "released.binpb"):
        found = PROTO / name
        (shutil.copytree if found.is_dir() else shutil.copy)(found, tmp_path / name)
    return tmp_path


def test_the_protocol_is_compatible_with_what_was_released() -> None:
    assert breaking(PROTO) == []


def test_the_image_has_every_file_that_was_released(copy: Path) -> None:
    (copy / "salon" / "rooms" / "v1" / "nodes.proto").unlink()
    assert any("nodes.proto" in line and "deleted" in line for line in breaking(copy))


@pytest.mark.parametrize(
    ("file", "edit", "complaint"),
    [
        ("nodes.proto", lambda text: text.replace("uint32 rooms = 9;", ""), '"9" with name "rooms"'),
        ("nodes.proto", lambda text: text.replace("uint32 rooms = 9", "string rooms = 9"), "changed type"),
        ("nodes.proto", lambda text: text.replace("uint32 rooms = 9", "uint32 halls = 9"), "name"),
        (
            "room.proto",
            lambda text: text.replace("LEAVE_REASON_ENDED = 4", "LEAVE_REASON_ENDED = 5"),
            "LeaveReason",
        ),
    ],
    ids=[
        "a field is gone",
        "a field has another type",
        "a field has another name",
        "a value has another number",
    ],
)
def test_what_breaks_others_is_found(copy: Path, file: str, edit: Edit, complaint: str) -> None:
    path = copy / "salon" / "rooms" / "v1" / file
    before = path.read_text()
    path.write_text(edit(before))
    assert path.read_text() != before
    assert any(complaint in line for line in breaking(copy)), breaking(copy)


def test_additions_are_welcome(copy: Path) -> None:
    path = copy / "salon" / "rooms" / "v1" / "nodes.proto"
    path.write_text(path.read_text().replace("uint32 rooms = 9;", "uint32 rooms = 9;\n  uint32 floors = 10;"))
    assert breaking(copy) == []
