"""Settings: read from the environment, all mistakes in one line, and never a value."""

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from salon_common.errors import SettingsError
from salon_common.settings import Bind, ServiceSettings, load, read
from salon_common.settings_doc import markdown_table


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SALON_TEST_")

    key_file: str = Field(description="Where the | key is.")
    seats: int = Field(default=50, ge=1, le=500, description="How many.")
    advertise: list[str] = Field(default=["127.0.0.1"], description="Addresses.")
    web_bind: Bind = Field(default="127.0.0.1:0", description="Where.")
    label: str | None = Field(default=None, description="A name.")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_TEST_KEY_FILE", "/keys")


def test_defaults_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_TEST_SEATS", "7")
    monkeypatch.setenv("SALON_TEST_ADVERTISE", '["10.0.0.1", "::1"]')
    monkeypatch.setenv("SALON_OTHER_SEATS", "not ours")
    settings = load(Settings)
    assert (settings.seats, settings.advertise) == (7, ["10.0.0.1", "::1"])
    assert (settings.region, settings.nats_url, settings.health_bind) == (
        "local",
        "nats://127.0.0.1:4222",
        "127.0.0.1:0",
    )


def test_they_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(Settings).seats = 3


def test_all_mistakes_are_told_at_once_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALON_TEST_KEY_FILE")
    for name, value in {
        "SEATS": "many secrets",
        "ADVERTISE": "10.0.0.1",
        "WEB_BIND": "8080",
        "LOG_LEVEL": "loud",
        "REGION": "Über",
        "NATS_URL": "http://127.0.0.1",
        "SEAT": "8",
        "XYZZY": "9",
    }.items():
        monkeypatch.setenv(f"SALON_TEST_{name}", value)
    with pytest.raises(SettingsError) as caught:
        read(Settings)
    message = str(caught.value)
    assert "\n" not in message
    assert "many secrets" not in message
    assert message.split("; ")[:2] == [
        "SALON_TEST_SEAT: no such setting, did you mean SALON_TEST_SEATS?",
        "SALON_TEST_XYZZY: no such setting",
    ]
    for name in (
        "KEY_FILE: field required",
        "SEATS: input should be",
        "ADVERTISE: input should be a valid list",
        "LOG_LEVEL: input should be",
    ):
        assert f"SALON_TEST_{name}" in message
    assert "SALON_TEST_WEB_BIND: must be host:port" in message
    assert "SALON_TEST_REGION: string should match" in message
    assert "SALON_TEST_NATS_URL: must be nats://host:port or tls://host:port" in message


def test_a_bad_item_is_named_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_TEST_ADVERTISE", '["a", 7]')
    with pytest.raises(SettingsError, match=r"^SALON_TEST_ADVERTISE\[1\]: input should be a valid string$"):
        read(Settings)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            {"NATS_URL": "nats://a:1,nats://rooms:5ecret@b:1"},
            "SALON_TEST_NATS_URL: must name no user: that and the password are settings of their own",
        ),
        (
            {"NATS_URL": "nats://a:1,http://b:1"},
            "SALON_TEST_NATS_URL: must be nats://host:port or tls://host:port, several separated by commas",
        ),
        ({"NATS_USER": "rooms"}, "SALON_TEST_NATS_PASSWORD_FILE: user and password file go together"),
        ({"NATS_PASSWORD_FILE": "/5ecret"}, "SALON_TEST_NATS_USER: user and password file go together"),
        (
            {"NATS_CA_FILE": "/ca.pem"},
            "SALON_TEST_NATS_CA_FILE: says whom to trust by TLS, and no server's URL begins with tls://",
        ),
    ],
)
def test_logging_in_to_nats_takes_what_goes_together(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], complaint: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"SALON_TEST_{name}", value)
    with pytest.raises(SettingsError) as caught:
        read(Settings)
    assert str(caught.value) == complaint


def test_an_unknown_setting_alone_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALON_TEST_XYZZY", "9")
    with pytest.raises(SystemExit) as caught:
        load(Settings)
    assert caught.value.code == "settings: SALON_TEST_XYZZY: no such setting"


def test_the_table_for_the_docs() -> None:
    rows = markdown_table(Settings).splitlines()
    assert rows[:2] == ["| setting | default | what it is |", "| --- | --- | --- |"]
    assert (
        "| `SALON_TEST_REGION` | `local` | The region this process is in; also the prefix of its rooms' ids. |"
        in rows
    )
    assert "| `SALON_TEST_KEY_FILE` | required | Where the \\| key is. |" in rows
    assert '| `SALON_TEST_ADVERTISE` | `["127.0.0.1"]` | Addresses. |' in rows
    assert "| `SALON_TEST_SEATS` | `50` | How many. |" in rows
    assert "| `SALON_TEST_LABEL` | none | A name. |" in rows
    levels = "One of `debug`, `info`, `warning`, `error`."
    assert f"| `SALON_TEST_LOG_LEVEL` | `info` | The least severe level that is logged. {levels} |" in rows
