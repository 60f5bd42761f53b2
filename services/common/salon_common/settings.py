"""Settings of a service: a frozen typed class, read from the environment once, all mistakes told in one line.

Owns the rules (prefixes, unknown names, messages) and the fields that every service has. What a setting means to a
service stands in the service's own `config.py`.
"""

import difflib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from salon_common.errors import SettingsError
from salon_common.nats_access import NatsAccess, split_url
from salon_common.net import parse_bind


def _check_bind(text: str) -> str:
    parse_bind(text)
    return text


Bind = Annotated[str, AfterValidator(_check_bind)]
"""An address to listen on, `host:port`; port 0 takes a free one."""


def _check_servers(text: str) -> str:
    servers, user, _ = split_url(text)
    if user is not None:
        raise ValueError("must name no user: that and the password are settings of their own")
    if not all(re.fullmatch(r"(nats|tls)://[^\s/]+", server) for server in servers):
        raise ValueError("must be nats://host:port or tls://host:port, several separated by commas")
    return text


Servers = Annotated[str, AfterValidator(_check_servers)]
"""Where NATS is, without any secret."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
"""The id of a node or replica: 1-64 characters of a-z, 0-9 and hyphen."""

Region = Annotated[str, Field(pattern=r"^[a-z0-9]{1,16}(-[a-z0-9]{1,16}){0,2}$")]
"""A region's name, as it stands in room ids."""


class _Environment(EnvSettingsSource):
    """Leaves a list that is not JSON as text: the field then fails with all others, not alone and first."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return json.loads(value)
        except ValueError:
            return value


class ServiceSettings(BaseSettings):
    """What every service is told. A subclass gives `model_config = SettingsConfigDict(env_prefix="SALON_X_")`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=False)

    region: Region = Field(
        default="local", description="The region this process is in; also the prefix of its rooms' ids."
    )
    nats_url: Servers = Field(
        default="nats://127.0.0.1:4222",
        description="Where NATS is: one URL, or several separated by commas; `tls://host:port` for TLS.",
    )
    nats_user: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] | None = Field(
        default=None,
        description="The user to connect to NATS as; answers are heard at `_INBOX.<user>`.",
    )
    nats_password_file: Path | None = Field(
        default=None,
        description="The file with that user's password; read again at each connect, so a new one needs no restart.",
    )
    nats_ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM), one of which signed those of the NATS servers; without it those that the machine trusts.",
    )
    health_bind: Bind = Field(
        default="127.0.0.1:0", description="Address of /livez, /readyz and /metrics; port 0 takes a free one."
    )
    health_socket: Path | None = Field(
        default=None,
        description="A Unix socket that answers as the health port does: `python -m salon_common.probe <socket> livez` asks it.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe level that is logged."
    )
    traces_endpoint: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = Field(
        default=None,
        description="Where OpenTelemetry traces go by OTLP over HTTP: `http://collector:4318/v1/traces`. Without it there are none.",
    )
    traces_ratio: float = Field(
        default=0.01, ge=0, le=1, description="The part of all traces that is kept, if there are any."
    )

    @property
    def nats(self) -> NatsAccess:
        """For `salon_common.nats.connect`."""
        return NatsAccess(
            self.nats_url,
            self.nats_user,
            self.nats_password_file,
            self.nats_ca_file,
            variable(type(self), "nats_"),
        )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Settings that are good alone and not together: the field to change, and why."""
        if (self.nats_user is None) != (self.nats_password_file is None):
            missing = "nats_user" if self.nats_user is None else "nats_password_file"
            yield missing, "user and password file go together"
        if self.nats_ca_file is not None and "tls://" not in self.nats_url:
            yield "nats_ca_file", "says whom to trust by TLS, and no server's URL begins with tls://"

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        problems = [f"{variable(type(self), field)}: {why}" for field, why in self.conflicts()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, and arguments in tests; no files that somebody forgets."""
        return init_settings, _Environment(settings_cls)


S = TypeVar("S", bound=ServiceSettings)


def variable(cls: type[ServiceSettings], field: str) -> str:
    """The name of a field's environment variable."""
    return f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def read(cls: type[S]) -> S:
    """Read the environment. Raises SettingsError that names every bad setting."""
    problems = _unknown(cls)
    try:
        settings = cls()
    except ValidationError as error:
        problems += _invalid(cls, error)
    else:
        if not problems:
            return settings
    raise SettingsError("; ".join(problems))


def load(cls: type[S]) -> S:
    """Read the environment, or end the process with one line that names every bad setting."""
    try:
        return read(cls)
    except SettingsError as error:
        sys.exit(f"settings: {error}")


def _unknown(cls: type[ServiceSettings]) -> list[str]:
    prefix = variable(cls, "")
    known = [field.upper() for field in cls.model_fields]
    problems = []
    for name in sorted(os.environ):
        rest = name.upper().removeprefix(prefix)
        if prefix and name.upper().startswith(prefix) and rest not in known:
            close = difflib.get_close_matches(rest, known, n=1)
            problems.append(
                f"{name}: no such setting" + (f", did you mean {prefix}{close[0]}?" if close else "")
            )
    return problems


def _invalid(cls: type[ServiceSettings], error: ValidationError) -> list[str]:
    """One phrase a problem, without the value: it may be a secret."""
    problems = []
    for item in error.errors(include_url=False, include_input=False):
        message = re.sub(r"^Value error, ", "", item["msg"])
        if not item["loc"]:  # of several settings together: it names them itself
            problems.append(message)
            continue
        field, *path = [str(part) for part in item["loc"]]
        place = variable(cls, field) + "".join(f"[{part}]" for part in path)
        problems.append(f"{place}: {message[:1].lower()}{message[1:]}")
    return problems
