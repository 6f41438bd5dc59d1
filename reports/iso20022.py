"""ISO 20022 messages as XML: their elements, and a document held to the schema of a package.

A writer is chosen by the version of the message: what is dropped in as an authority's package says
which, and nothing is called valid that it refuses.
"""

import re
from pathlib import Path

from lxml import etree  # type: ignore[import-untyped]

from core.errors import InputError

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3}\.\d{3})\.(\d\d)")


def namespace(version: str) -> str:
    """The namespace of a message's version, as auth.016.001.03."""
    return f"urn:iso:std:iso:20022:tech:xsd:{version}"


def validate(path: Path, schema: Path) -> list[str]:
    """What the schema finds wrong, at most twenty; none when the document is valid for it.

    Raises:
        InputError: the schema cannot be read, or is for another version of the message.
    """
    space = _target(schema)
    with path.open("rb") as file:
        _, root = next(etree.iterparse(file, events=("start",)))
    own = etree.QName(root).namespace
    if own != space:
        problem = f"is for {space}, the document is {own}: install the matching package"
        raise InputError(str(schema), problem)
    checker = etree.XMLSchema(etree.parse(schema))
    checker.validate(etree.parse(path))
    return [f"line {e.line}: {e.message}" for e in list(checker.error_log)[:20]]


def package_in(folder: Path, message: str) -> tuple[Path, str]:
    """An authority's schema of a message, as auth.016.001, and the version that it is for.

    Raises:
        InputError: the folder holds none, several, or one of another message.
    """
    pattern = f"{message[:8]}*.xsd"
    schemas = sorted(folder.expanduser().glob(pattern))
    if len(schemas) != 1:
        listed = ", ".join(path.name for path in schemas) or "none"
        problem = f"holds {listed}: install the authority's schema package, with one {pattern}"
        raise InputError(str(folder), problem)
    target = _target(schemas[0])
    matched = _NAMESPACE.fullmatch(target)
    if matched is None or matched[1] != message:
        raise InputError(str(schemas[0]), f"is for {target or 'nothing'}, not for an {message}")
    return schemas[0], f"{matched[1]}.{matched[2]}"


def installed(folder: str, message: str, base: str) -> tuple[Path | None, str]:
    """The schema of a message in `[reports] schemas` and its version; without one, `base`.

    A folder that holds no schema of that kind belongs to other reports: firms have packages for
    some of what they report. Nothing is called valid then.

    Raises:
        InputError: the folder is not there, or holds several, or one of another message.
    """
    place = Path(folder).expanduser()
    if folder and not place.is_dir():
        raise InputError(folder, "is no folder: [reports] schemas names where packages lie")
    if folder and any(place.glob(f"{message[:8]}*.xsd")):
        return package_in(place, message)
    return None, base


def _target(schema: Path) -> str:
    try:
        return str(etree.parse(schema).getroot().get("targetNamespace", ""))
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(str(schema), f"no schema ({error})") from error


class Tree:
    """Builds elements of one namespace; empty values make no element."""

    def __init__(self, space: str) -> None:
        self._space = space

    def node(self, name: str, *children: "etree._Element | None") -> "etree._Element":
        """An element of those children that are there."""
        element = etree.Element(f"{{{self._space}}}{name}", nsmap={None: self._space})
        element.extend(child for child in children if child is not None)
        return element

    def leaf(self, name: str, text: str, **attributes: str) -> "etree._Element | None":
        """An element of a text; none of an empty one."""
        if not text:
            return None
        element = etree.Element(f"{{{self._space}}}{name}", attributes)
        element.text = text
        return element

    def maybe(self, name: str, *children: "etree._Element | None") -> "etree._Element | None":
        """An element of those children that are there; none without any."""
        present = [child for child in children if child is not None]
        return self.node(name, *present) if present else None
