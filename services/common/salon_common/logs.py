"""Logs: JSON lines on stderr through the standard library's logging.

`extra={"room": …, "participant": …}` become fields. Never log tokens, secrets, offers or keys.
"""

import json
import logging
import sys
from datetime import UTC, datetime

from salon_common.telemetry import tracing

MAX_MESSAGE = 4096
"""Characters of a message that are kept: messages may quote what came from the network."""
MAX_STACK = 16384
"""Characters of a traceback that are kept, from its end: the cause stands there."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_QUIET = {
    "uvicorn": logging.ERROR,  # it warns of every line that is not HTTP, which anybody can send
    "asyncio": logging.WARNING,
    "nats": logging.WARNING,
    "grpc": logging.WARNING,
}


class JsonFormatter(logging.Formatter):
    """One record, one line, one JSON object."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; what JSON cannot hold becomes text."""
        line: dict[str, object] = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        line |= {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage()[:MAX_MESSAGE],
        }
        if trace_id := tracing.trace_id():
            line["trace_id"] = trace_id
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)[-MAX_STACK:]
        return json.dumps(line, default=str, ensure_ascii=False)


def setup(service: str, level: str) -> None:
    """Send everything that is logged to stderr as JSON lines; libraries only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    logging.captureWarnings(capture=True)
