"""Log records as JSON lines."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator

import pytest
from salon_common import logs


@pytest.fixture
def start() -> Iterator[Callable[[], logging.Logger]]:
    """`setup`, to be called inside the test, when `capsys` holds stderr; undone afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def start() -> logging.Logger:
        logs.setup("rooms", "info")
        return logging.getLogger("salon_rooms.writer")

    yield start
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_one_json_object_on_stderr(
    start: Callable[[], logging.Logger], capsys: pytest.CaptureFixture[str]
) -> None:
    start().info(
        "joined %s", "Ada\nLovelace", extra={"room": "local-x", "participant": "p", "count": 3, "odd": {1, 2}}
    )
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    record = json.loads(line)
    assert record.pop("time").endswith("+00:00")
    assert record == {
        "room": "local-x",
        "participant": "p",
        "count": 3,
        "odd": "{1, 2}",
        "level": "info",
        "service": "rooms",
        "logger": "salon_rooms.writer",
        "message": "joined Ada\nLovelace",
    }


def test_an_exception_is_a_field_of_the_same_line(
    start: Callable[[], logging.Logger], capsys: pytest.CaptureFixture[str]
) -> None:
    start().error("failed", exc_info=ValueError("odd\nvalue"))
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["stack"].endswith("ValueError: odd\nvalue")


def test_long_messages_are_cut(
    start: Callable[[], logging.Logger], capsys: pytest.CaptureFixture[str]
) -> None:
    start().info("x" * 100_000)
    line = json.loads(capsys.readouterr().err)
    assert len(line["message"]) == logs.MAX_MESSAGE


def test_the_level_holds_and_libraries_are_quiet(
    start: Callable[[], logging.Logger], capsys: pytest.CaptureFixture[str]
) -> None:
    start().debug("unheard")
    logging.getLogger("asyncio").info("unheard")
    logging.getLogger("uvicorn.error").warning("unheard: anybody can send what is not HTTP")
    logging.getLogger("asyncio").warning("heard")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "heard"


def test_warnings_are_logged(start: Callable[[], logging.Logger], capsys: pytest.CaptureFixture[str]) -> None:
    start()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "old way" in json.loads(capsys.readouterr().err.splitlines()[0])["message"]


def test_fields_cannot_pose_as_the_records_own() -> None:
    record = logging.makeLogRecord(
        {"msg": "m", "levelname": "INFO", "service": "other", "level": "debug", "time": "never"}
    )
    line = json.loads(logs.JsonFormatter("rooms").format(record))
    assert (line["service"], line["level"]) == ("rooms", "info")
    assert line["time"] != "never"
