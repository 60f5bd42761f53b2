"""Becomes another program that dies with its starter: `python guard.py <starter's pid> program arguments …`.

Runs between fork and exec in a process of its own, since a `preexec_fn` is not safe in a runner that has threads (gRPC).
On Linux the kernel then kills the program when its starter ends, however that ends; elsewhere it only becomes the program.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(starter: int) -> None:
    """Ask the kernel for SIGKILL when `starter`, our parent, ends. Ends at once if it has ended already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != starter:
        sys.exit(1)


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is the point
