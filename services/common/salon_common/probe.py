"""Asks a process on this machine whether it lives or is ready: `python -m salon_common.probe <socket> livez|readyz`.

For probes by a program, where the port is not known beforehand. Exits with 0 for yes and 1 for no, and says in one line what
was answered. Imports as little as it can: it is started every few seconds.
"""

import socket
import sys

SECONDS = 2.0
_MAX_BYTES = 65_536


def ask(path: str, page: str) -> tuple[bool, str]:
    """Whether the answer is 200, and what it is."""
    try:
        answer = _fetch(path, page)
    except OSError as error:
        return False, f"{path}: {error.strerror or error}"
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split(b" ")
    good = len(status) > 1 and status[0].startswith(b"HTTP/") and status[1] == b"200"
    return good, " ".join(body.decode(errors="replace").split()) or f"{path}: no answer"


def _fetch(path: str, page: str) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(SECONDS)
        sock.connect(path)
        sock.sendall(f"GET /{page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while len(answer) < _MAX_BYTES and (part := sock.recv(_MAX_BYTES)):
            answer += part
        return answer


def main(arguments: list[str]) -> int:
    """Ask, say, and return the exit code."""
    if len(arguments) != 2 or arguments[1] not in ("livez", "readyz"):
        sys.stdout.write("usage: python -m salon_common.probe <socket> livez|readyz\n")
        return 2
    good, said = ask(*arguments)
    sys.stdout.write(f"{said}\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
