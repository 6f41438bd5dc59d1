"""Multipart forms: fields become parameters, files become external tables.

A file part called `t` needs `t_structure` (`a Int64, b String`) or `t_types` (`Int64,String`,
columns `_1`, `_2`); `t_format` defaults to TabSeparated. Fields may also stand in the URL.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'[; ]name="([^"]*)"', re.IGNORECASE)
_FILE = re.compile(rb'[; ]filename="', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A temporary table that a request brings along."""

    name: str
    structure: str
    format: str
    data: bytes


def parse(body: bytes, content_type: str) -> tuple[dict[str, str], dict[str, bytes]]:
    """Fields and files of a form, by name.

    Raises:
        ValueError: no boundary, or a part without a name.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise ValueError("multipart/form-data without a boundary")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    mark = b"--" + boundary[1].encode()
    parts = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ValueError("the multipart form is cut")
    for part in parts[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None:
            raise ValueError("a part of the multipart form has no name")
        if _FILE.search(head):
            files[name[1].decode()] = data
        else:
            fields[name[1].decode()] = data.decode()
    return fields, files


def external_tables(
    files: Mapping[str, bytes], parameters: dict[str, str]
) -> tuple[ExternalTable, ...]:
    """The tables of these files; takes their descriptions out of `parameters`.

    Raises:
        ValueError: a file whose columns nobody describes.
    """
    return tuple(_table(name, data, parameters) for name, data in files.items())


def _table(name: str, data: bytes, parameters: dict[str, str]) -> ExternalTable:
    if not re.fullmatch(r"\w+", name):
        raise ValueError(f"an external table cannot be called {name!r}")
    structure = parameters.pop(f"{name}_structure", "")
    types = parameters.pop(f"{name}_types", "")
    shown = parameters.pop(f"{name}_format", "TabSeparated")
    if not structure and not types:
        raise ValueError(f"external table {name}: send {name}_structure or {name}_types")
    if not structure:
        structure = ", ".join(f"_{i} {kind}" for i, kind in enumerate(_split(types), 1))
    return ExternalTable(name, structure, shown, data)


def _split(types: str) -> list[str]:
    return [part for part in re.split(r",(?![^(]*\))", types) if part.strip()]
