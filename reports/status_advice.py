"""ISO 20022 status advices, auth.031: what an authority or repository made of a file of reports."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree  # type: ignore[import-untyped]

from core.errors import InputError

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:auth\.031\.001\.\d\d")
Element = Any  # of lxml, which has no types


class Record(NamedTuple):
    """What became of one record; of several rules that it broke, all, with a space between."""

    record_id: str
    status: str
    rule: str
    says: str


class Advice(NamedTuple):
    """What became of one file."""

    message_id: str
    status: str  # of the file as a whole; empty: not said
    rule: str
    says: str
    total: int  # records that it says there were; 0: not said
    records: tuple[Record, ...]


def read(path: Path) -> Advice:
    """A status advice; nothing outside the file is read for it.

    Raises:
        InputError: no XML, no status advice, or one without a message or record id.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.parse(path, parser).getroot()
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(str(path), f"no XML ({error}); name a status advice, auth.031") from error
    advices = [one for one in root.iter("{*}StsAdvc") if _is_advice(one)]
    if not advices:
        space = etree.QName(root).namespace or "no namespace"
        raise InputError(str(path), f"is {space}: no status advice, auth.031.001")
    return _merged(str(path), advices)


def _is_advice(element: Element) -> bool:
    return bool(_NAMESPACE.fullmatch(etree.QName(element).namespace or ""))


def _merged(path: str, advices: list[Element]) -> Advice:
    """A file may hold several: their records are one list, the first one's head is the file's."""
    records = tuple(record for advice in advices for record in _records(path, advice))
    head = advices[0].find("{*}MsgSts")
    status, rule, says = _outcome(head)
    total = sum(_number(_text(one, "{*}MsgSts/{*}Sttstcs/{*}TtlNbOfRcrds")) for one in advices)
    return Advice(_text(advices[0], "{*}MsgRptIdr"), status, rule, says, total, records)


def _records(path: str, advice: Element) -> Iterator[Record]:
    for one in advice.iterfind("{*}RcrdSts"):
        key = _text(one, "{*}OrgnlRcrdId")
        status, rule, says = _outcome(one)
        if not key or not status:
            problem = "a record without its id or status (OrgnlRcrdId, Sts)"
            raise InputError(path, problem, one.sourceline)
        yield Record(key, status, rule, says)


def _outcome(element: Element | None) -> tuple[str, str, str]:
    if element is None:
        return "", "", ""
    rules = element.findall("{*}VldtnRule")
    names = " ".join(_text(rule, "{*}Id") for rule in rules)
    return _text(element, "{*}Sts"), names, "; ".join(filter(None, map(_described, rules)))


def _described(rule: Element) -> str:
    return _text(rule, "{*}Desc")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 15 else 0


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
