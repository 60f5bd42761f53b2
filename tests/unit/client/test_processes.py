"""With small real processes: how they start, fail, die and take their children along."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from salon_client.run.processes import ManagedProcess, Ports, Program
from salon_common.errors import Code, SalonError

SERVES = """
import json, signal, sys, time
print(json.dumps({"ready": True, "port": int(sys.argv[1]) or 4321}), flush=True)
time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SERVES
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", child.pid, flush=True)
time.sleep(60)
"""

Make = Callable[..., ManagedProcess]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[ManagedProcess] = []

    def make_process(
        source: str, *, ready: Callable[[str], Ports | None] = lambda _text: {}, timeout: float = 10
    ) -> ManagedProcess:
        def command(ports: Ports) -> list[str]:
            return [sys.executable, "-I", "-S", "-c", source, str(ports.get("port", 0))]

        program = Program("part-1", command, lambda _ports: {"SALON_PART_X": "1"}, ready)
        made.append(ManagedProcess(program, tmp_path, ready_timeout=timeout))
        return made[-1]

    yield make_process
    for process in made:
        await process.kill()


def ready_line(text: str) -> Ports | None:
    return {"port": 4321} if "ready" in text else None


async def test_becomes_ready_and_keeps_its_port(make: Make) -> None:
    process = make(SERVES, ready=ready_line)
    assert await process.start() == {"port": 4321}
    first = process.pid
    await process.kill()
    assert process.pid is None
    assert await process.start() == {"port": 4321}
    assert process.pid != first
    assert process.last_lines().count("4321") == 2


async def test_one_that_ends_is_quoted(make: Make) -> None:
    process = make("import sys; print('no such setting'); sys.exit(3)", ready=lambda _text: None)
    with pytest.raises(SalonError, match=r"(?s)exit code 3 before it was ready.*no such setting") as caught:
        await process.start()
    assert caught.value.code is Code.UNAVAILABLE
    assert not process.running


async def test_one_that_is_never_ready_is_ended(make: Make) -> None:
    process = make("import time; time.sleep(60)", ready=lambda _text: None, timeout=0.1)
    with pytest.raises(SalonError, match="not ready within"):
        await process.start()
    assert not process.running


async def test_readiness_of_the_run_before_does_not_count(make: Make, tmp_path: Path) -> None:
    (tmp_path / "part-1.log").write_text("ready\n")
    process = make("import sys; sys.exit(1)", ready=ready_line)
    with pytest.raises(SalonError):
        await process.start()


async def test_orderly_stop_is_sigterm(make: Make) -> None:
    process = make(SERVES, ready=ready_line)
    await process.start()
    await process.stop(grace=10)
    assert await process.wait() == -signal.SIGTERM


async def test_stubborn_one_is_killed_after_the_grace(make: Make) -> None:
    process = make(STUBBORN, ready=ready_line)
    await process.start()
    await process.stop(grace=0.05)
    assert await process.wait() == -signal.SIGKILL


async def test_children_go_too(make: Make) -> None:
    process = make(PARENT, ready=lambda text: {"pid": int(text.split()[1])} if text.endswith("\n") else None)
    child = (await process.start())["pid"]
    await process.kill()
    await _gone(child)


async def test_stopping_what_never_started_is_no_error(make: Make) -> None:
    process = make(SERVES)
    await process.stop(grace=1)
    assert process.last_lines() == ""


async def test_settings_of_the_runner_do_not_leak(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_ROOMS_STRAY", "1")
    source = "import os, time; print(sorted(k for k in os.environ if k.startswith('SALON')), 'ready', flush=True); time.sleep(60)"
    process = make(source, ready=ready_line)
    await process.start()
    assert "['SALON_PART_X']" in process.last_lines()


async def test_killed_runner_leaves_nothing(tmp_path: Path) -> None:
    """A runner that is killed by SIGKILL cannot clean up: the kernel does."""
    runner = f"""
import asyncio, sys
from pathlib import Path
from salon_client.run.processes import ManagedProcess, Program
async def main():
    program = Program("p", lambda _p: [sys.executable, "-c", "import time; time.sleep(60)"], lambda _p: {{}}, lambda _t: {{}})
    process = ManagedProcess(program, Path({str(tmp_path)!r}))
    await process.start()
    print(process.pid, flush=True)
    await process.wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", runner, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    child = int(await process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    await process.communicate()
    await _gone(child)


async def _gone(pid: int) -> None:
    async with asyncio.timeout(5):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
