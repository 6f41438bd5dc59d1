"""Documents of people who never were: a passport as PDF, a bank statement as DOCX."""

import io
import zipfile

import docx
import typst


def pdf(*lines: str) -> bytes:
    """A page that says the lines."""
    source = "\n\n".join(f'#"{line}"' for line in lines)
    return bytes(typst.compile(source.encode()))


def word(*lines: str, cell: str = "") -> bytes:
    """Paragraphs, and a table with one cell."""
    document = docx.Document()
    for line in lines:
        document.add_paragraph(line)
    if cell:
        document.add_table(1, 1).cell(0, 0).text = cell
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """A DOCX with another content of a part, or one part more."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            if info.filename != name:
                new.writestr(info.filename, old.read(info))
        new.writestr(name, part)
    return stream.getvalue()


def encrypted_pdf() -> bytes:
    """One that asks for a password, which nobody has."""
    hashed = b"<" + b"41" * 32 + b">"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        b"<</Filter/Standard/V 2/R 3/Length 128/P -4/O " + hashed + b"/U " + hashed + b">>",
    ]
    content, places = b"%PDF-1.6\n", []
    for number, value in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj" % number + value + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]>>"
    return (
        content
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer"
        + trailer
        + (b"\nstartxref\n%d\n%%%%EOF" % len(content))
    )
