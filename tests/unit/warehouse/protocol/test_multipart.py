"""Forms: fields, files and the external tables they describe."""

import pytest

from warehouse.protocol.multipart import ExternalTable, external_tables, parse

KIND = 'multipart/form-data; boundary="B--x"'


def form(*parts: tuple[str, bytes]) -> bytes:
    pieces = [
        b"--B--x\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (h.encode(), d)
        for h, d in parts
    ]
    return b"".join(pieces) + b"--B--x--\r\n"


def test_fields_and_binary_files_are_told_apart() -> None:
    data = b"\r\n\0--B\r\n\r\n"
    fields, files = parse(
        form(('name="query"', b"SELECT 1"), ('name="t"; filename="f"', data)), KIND
    )
    assert fields == {"query": "SELECT 1"}
    assert files == {"t": data}


def test_descriptions_are_taken_out_of_the_parameters() -> None:
    parameters = {"t_types": "Decimal(9, 2),String", "t_format": "CSV", "max_threads": "1"}
    assert external_tables({"t": b"x"}, parameters) == (
        ExternalTable("t", "_1 Decimal(9, 2), _2 String", "CSV", b"x"),
    )
    assert parameters == {"max_threads": "1"}


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (form(), "multipart/form-data", "boundary"),
        (form(('name="a"', b"1"))[:-6], KIND, "cut"),
        (form(("", b"1")), KIND, "no name"),
    ],
)
def test_a_damaged_form_is_refused(body: bytes, kind: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(body, kind)


@pytest.mark.parametrize("name", ["t", "`; DROP"])
def test_a_file_without_columns_or_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="external table"):
        external_tables({name: b""}, {})
