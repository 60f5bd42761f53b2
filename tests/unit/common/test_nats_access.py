"""As whom a process connects to NATS: passwords from files, certificates, and no secret in any text."""

import logging
from pathlib import Path

import pytest
from salon_common.errors import SettingsError
from salon_common.nats_access import NatsAccess, PasswordFile


def test_answers_go_where_only_the_user_hears_them() -> None:
    assert NatsAccess("nats://a:1", "rooms", Path("/password")).inbox_prefix == "_INBOX.rooms"
    assert NatsAccess("nats://tests:tests@a:1").inbox_prefix == "_INBOX.tests"
    assert NatsAccess("nats://a:1").inbox_prefix == "_INBOX"


def test_the_password_is_what_the_file_has_now(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("first\n")
    password = PasswordFile(path)
    assert password() == "first"
    path.write_text("second\n")
    assert password() == "second"


def test_while_the_file_is_being_replaced_the_last_one_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "password"
    path.write_text("5ecret")
    password = PasswordFile(path)
    for content in (b"", b"5ecret\xff"):
        path.write_bytes(content)
        assert password() == "5ecret"
    path.unlink()
    assert password() == "5ecret"
    assert caplog.text.count("the last is used") == 3
    assert "5ecret" not in caplog.text


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"\n", "the file is empty"), (b"5ecret\xff", "it is not text")],
)
def test_a_start_without_a_password_says_why(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        SettingsError, match=f"SALON_X_NATS_PASSWORD_FILE: cannot use {path}: {why}"
    ) as caught:
        NatsAccess("nats://a:1", "rooms", path, None, "SALON_X_NATS_").password()
    assert "5ecret" not in str(caught.value)


def test_tls_is_for_urls_that_ask_for_it(tmp_path: Path) -> None:
    assert NatsAccess("nats://a:1").tls() is None
    trusted = NatsAccess("nats://a:1,tls://b:1").tls()
    assert trusted is not None
    assert trusted.check_hostname
    with pytest.raises(SettingsError, match=r"SALON_NATS_CA_FILE: cannot use .*: No such file"):
        NatsAccess("tls://b:1", ca_file=tmp_path / "ca.pem").tls()


def test_no_text_of_it_has_the_password(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "password").write_text("5ecret")
    access = NatsAccess("nats://a:1", "rooms", tmp_path / "password")
    assert "5ecret" not in f"{access!r} {access.password()!r} {caplog.text}"
