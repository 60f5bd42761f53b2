"""Renders a settings class as a Markdown table, from which `docs/config.md` is made."""

import json
import typing

from pydantic.fields import FieldInfo

from salon_common.settings import ServiceSettings, variable


def markdown_table(cls: type[ServiceSettings]) -> str:
    """A row for each setting: its variable, default and description."""
    rows = ["| setting | default | what it is |", "| --- | --- | --- |"]
    for name, field in cls.model_fields.items():
        rows.append(f"| `{variable(cls, name)}` | {_default(field)} | {_describe(field)} |")
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == "":
        return "none"
    return f"`{_escape(value if isinstance(value, str) else json.dumps(value, default=str))}`"


def _describe(field: FieldInfo) -> str:
    text = " ".join((field.description or "").split())
    if typing.get_origin(field.annotation) is typing.Literal:
        text += " One of " + ", ".join(f"`{choice}`" for choice in typing.get_args(field.annotation)) + "."
    return _escape(text)


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
