"""One run a directory: two would delete each other's data."""

import fcntl
from pathlib import Path
from typing import IO

from salon_common.errors import Code, SalonError


def lock_directory(directory: Path) -> IO[bytes]:
    """Hold the directory until the returned file is closed or this process ends. Raises SalonError when it is held."""
    file = (directory / "run.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise SalonError(
            Code.FAILED_PRECONDITION,
            f"another run uses {directory}: stop it, or choose another with --directory",
        ) from None
    return file
