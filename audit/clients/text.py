"""Text of a document: PDF by pypdfium2, DOCX by python-docx, in a process of its own.

What a client sends is not to be trusted: it may be damaged, a bomb that unpacks to gigabytes, or
made to crash a reader. So the reader is a child without files, with limits on memory and time; it
gets the bytes on standard input, and what it does not answer in time is refused.
"""

import importlib
import io
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from core.errors import InputError, SettingsError

LARGEST = 20 << 20  # bytes of a document
_PAGES, _CHARACTERS = 1000, 4_000_000
_PARTS, _UNPACKED = 2000, 100 << 20  # of a DOCX, which is a zip archive
_SECONDS, _MEMORY = 60, 1 << 30
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class Answer(msgspec.Struct, frozen=True):
    """Of the child: the text, or why there is none."""

    text: str = ""
    problem: str = ""
    lacking: str = ""  # a library


def kind_of(content: bytes, path: Path) -> str:
    """What a document is: pdf or docx, by its content, which its suffix has to agree with.

    Raises:
        InputError: neither, too large, or under a suffix of something else.
    """
    if len(content) > LARGEST:
        raise InputError(str(path), f"larger than {LARGEST >> 20} MiB: scan it with less detail")
    if content.startswith(_OLE):
        raise InputError(str(path), "encrypted by Word, or an old .doc: save it as PDF, without")
    if content.startswith(b"%PDF-"):
        kind = "pdf"
    elif content.startswith(b"PK\x03\x04"):
        kind = "docx"
    else:
        raise InputError(str(path), "neither a PDF nor a DOCX")
    if path.suffix.lower() != f".{kind}":
        raise InputError(str(path), f"is a {kind.upper()} by its content: name it so")
    return kind


def text_of(content: bytes, path: Path) -> str:
    """Its text; "" of a scan without any.

    Raises:
        InputError: see `kind_of`; or it cannot be read within the limits.
        SettingsError: a library is not installed.
    """
    kind = kind_of(content, path)
    words = [sys.executable, "-m", "audit.clients.text", kind]
    try:
        done = subprocess.run(words, input=content, capture_output=True, timeout=_SECONDS)
        answer = msgspec.json.decode(done.stdout, type=Answer)
    except (subprocess.TimeoutExpired, msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"cannot be read within {_SECONDS} s and {_MEMORY >> 20} MiB: damaged, or a bomb"
        raise InputError(str(path), problem) from error
    if answer.lacking:
        raise SettingsError(f"{answer.lacking} is not installed: the extra tickhouse[documents]")
    if answer.problem:
        raise InputError(str(path), answer.problem)
    return answer.text


def read(kind: str, content: bytes) -> Answer:
    """What the child answers."""
    try:
        pages = _pdf(content) if kind == "pdf" else _docx(content)
        return Answer(_joined(pages))
    except ImportError as error:
        return Answer(lacking=str(error.name))
    except _UnfitError as error:
        return Answer(problem=str(error))
    except MemoryError:
        return Answer(problem=f"takes more than {_MEMORY >> 20} MiB to read: a bomb")


class _UnfitError(Exception):
    """Nothing to keep, and why."""


def _joined(pages: Iterator[str]) -> str:
    parts, length = [], 0
    for page in pages:
        length += len(page)
        if length > _CHARACTERS:
            raise _UnfitError(f"more than {_CHARACTERS:,} characters: no document of a client")
        parts.append(page)
    return "\n".join(parts)


def _pdf(content: bytes) -> Iterator[str]:
    pdfium: Any = importlib.import_module("pypdfium2")
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        encrypted = "password" in str(error).lower()
        what = "encrypted: ask for one without a password" if encrypted else f"damaged: {error}"
        raise _UnfitError(f"the PDF is {what}") from error
    try:
        if not 0 < len(document) <= _PAGES:
            raise _UnfitError(f"the PDF has {len(document)} pages; 1 to {_PAGES} are read")
        for number in range(len(document)):
            yield document[number].get_textpage().get_text_bounded()
    except pdfium.PdfiumError as error:
        raise _UnfitError(f"the PDF is damaged: {error}") from error
    finally:
        document.close()


def _docx(content: bytes) -> Iterator[str]:
    docx: Any = importlib.import_module("docx")
    paragraph: Any = importlib.import_module("docx.text.paragraph")
    word: Any = importlib.import_module("docx.oxml.ns")
    _check_parts(content)
    try:
        document = docx.Document(io.BytesIO(content))
    except Exception as error:  # whatever the library meets in what is no document
        raise _UnfitError(f"the DOCX is damaged: {type(error).__name__}") from error
    bodies = [document.element.body]
    for section in document.sections:
        bodies += [section.header._element, section.footer._element]
    for body in bodies:
        for element in body.iter(word.qn("w:p")):
            yield paragraph.Paragraph(element, document).text


def _check_parts(content: bytes) -> None:
    """No bomb and no entity: sizes before anything is unpacked, which zipfile holds a part to."""
    etree: Any = importlib.import_module("lxml.etree")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        parts = archive.infolist()
        if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED:
            raise _UnfitError(f"the DOCX unpacks to more than {_UNPACKED >> 20} MiB: a bomb")
        if any(part.flag_bits & 1 for part in parts):
            raise _UnfitError("the DOCX is encrypted: ask for one without a password")
        xml = [archive.read(part) for part in parts if part.filename.endswith((".xml", ".rels"))]
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise _UnfitError(f"the DOCX is damaged: {error}") from error
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    for part in xml:
        try:
            doctype = etree.fromstring(part, parser).getroottree().docinfo.doctype
        except etree.XMLSyntaxError as error:
            raise _UnfitError("the DOCX is damaged: its XML is none") from error
        if doctype:
            raise _UnfitError("the DOCX declares entities, which no word processor writes")


def _limit() -> None:
    """Of this process; elsewhere than on Unix the parent's time limit has to do."""
    try:
        resource: Any = importlib.import_module("resource")
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves nothing of it on disk


if __name__ == "__main__":
    _limit()
    sys.stdout.buffer.write(msgspec.json.encode(read(sys.argv[1], sys.stdin.buffer.read())))
