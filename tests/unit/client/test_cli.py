import socket
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from salon_client import cli
from salon_client.run.apps import make_app_key


def salon(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["salon", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_bad_link_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert salon(monkeypatch, "join", "http://localhost/r/none", "--listen") == 1
    said = capsys.readouterr().err
    assert said.startswith("salon: link: lacks the part after #")
    assert "Traceback" not in said


def test_unreachable_site_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        site = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert salon(monkeypatch, "room", "create", "--site", site) == 1
    assert f"cannot reach {site}" in capsys.readouterr().err


def test_busy_port_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        assert salon(monkeypatch, "run", "--port", port, "--directory", str(tmp_path / "run")) == 1
    assert f"port {port} is in use: choose another with --port" in capsys.readouterr().err
    assert not (tmp_path / "run" / "nats").exists()


@pytest.mark.parametrize(
    "arguments", [["join"], ["run", "--port", "x"], ["unknown"], ["join", "x", "--slots", "26"]]
)
def test_wrong_arguments_are_exit_code_2(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    assert salon(monkeypatch, *arguments) == 2


def test_help_names_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert salon(monkeypatch, "--help") == 0
    said = capsys.readouterr().out
    for command in ("run", "join", "room"):
        assert command in said


@pytest.mark.parametrize("file", ["missing", "garbage"])
def test_unusable_key_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, file: str
) -> None:
    key = tmp_path / file
    if file == "garbage":
        key.write_text("not a key")
    assert salon(monkeypatch, "room", "create", "--app-key", str(key)) == 1
    assert "--app-key: " in capsys.readouterr().err


def test_both_kinds_of_key_sign(tmp_path: Path) -> None:
    ed25519, _ = make_app_key()
    p256 = (
        generate_private_key(SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    for text in (ed25519, p256):
        path = tmp_path / "key.pem"
        path.write_text(text)
        assert cli._sign(path, "demo", "ada").count(".") == 2


def test_unknown_recording_format_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    link = "http://localhost/r/local-" + "a" * 20 + "#" + "A" * 22
    assert salon(monkeypatch, "join", link, "--record", "x.gif", "--listen") == 1
    assert "x.gif must end in one of" in capsys.readouterr().err
