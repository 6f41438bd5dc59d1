"""What a person may write for a setting that is on or off: on, off, true, false, yes, no, 1, 0."""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from core.errors import SettingsError

_WORDS = {
    "on": True, "true": True, "yes": True, "1": True,
    "off": False, "false": False, "no": False, "0": False,
}  # fmt: skip


def understood(name: str, section: type, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a section, its switches as the section's types want them.

    Raises:
        SettingsError: a switch is neither on nor off.
    """
    kinds = {field.name: field.type for field in msgspec.structs.fields(section)}
    return {key: _switched(f"{name}.{key}", kinds[key], value) for key, value in content.items()}


def _switched(setting: str, kind: Any, value: Any) -> Any:
    choices = get_args(kind)
    said = _WORDS.get(str(value).lower())
    if kind is bool:
        if said is None:
            raise SettingsError(f"{setting} is {value!r}: say on or off (true or false)")
        return said
    if {"on", "off"} <= set(choices) and said is not None and value not in choices:
        return "on" if said else "off"
    return value
