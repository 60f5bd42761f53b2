"""Stops one thread of another process, as if it hung; Linux, by ptrace (a tracer may stop its children's threads)."""

import ctypes
import os
from pathlib import Path

_SEIZE, _INTERRUPT = 0x4206, 0x4207
_ALL_THREADS = 0x40000000
"""__WALL: threads are waited for like children."""


def find_thread(pid: int, name: str) -> int:
    """The id of a process's thread."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise LookupError(name)


def hold(thread: int) -> None:
    """Stop the thread; the others of its process go on."""
    libc = ctypes.CDLL(None, use_errno=True)
    for request in (_SEIZE, _INTERRUPT):
        if libc.ptrace(request, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(thread, _ALL_THREADS)


def bury(thread: int) -> None:
    """Take note of the end of a thread that was held, from the thread that held it: its process ends no sooner."""
    os.waitpid(thread, _ALL_THREADS)
