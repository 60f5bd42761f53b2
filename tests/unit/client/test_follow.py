import asyncio
from pathlib import Path

import pytest
from salon_client.run.follow import LogTail, follow_logs


def test_only_whole_new_lines_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("old\n")
    tail = LogTail(path)
    with path.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert tail.new_lines() == ["one"]
        file.write("o\n")
        file.flush()
        assert tail.new_lines() == ["two"]
    assert tail.new_lines() == []


def test_endless_line_is_shown_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    tail = LogTail(path)
    path.write_bytes(b"a" * 600 * 1024)
    assert sum(len(line) for _ in range(3) for line in tail.new_lines()) == 512 * 1024


async def test_lines_stand_behind_their_parts_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {name: tmp_path / name for name in ("rooms-1", "nats")}
    for path in paths.values():
        path.touch()
    following = asyncio.create_task(follow_logs(paths))
    await asyncio.sleep(0)
    paths["nats"].write_text("hello\n")
    said = ""
    async with asyncio.timeout(5):
        while "hello" not in said:
            await asyncio.sleep(0.01)  # the tail polls the file
            said += capsys.readouterr().err
    following.cancel()
    assert "nats    |" in said
