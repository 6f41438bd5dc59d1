"""From a request's body to its statement.

What follows an INSERT may be larger than memory, so a large body is read on only as far as the
statement needs: all of it for a query, a form or a table that comes along; no further than the
first piece for data, which the engine then takes as it arrives.
"""

from warehouse.engine.answer import Context
from warehouse.protocol import multipart, statement
from warehouse.protocol.body import Body
from warehouse.protocol.request import Request
from warehouse.protocol.statement import Statement


async def read(request: Request, body: Body, start: bytes) -> tuple[Statement, Context]:
    """The statement, with all of its data or the beginning of a large INSERT's.

    Args:
        asked: the request; fields of a form become parameters of it.
        body: the rest of its body.
        start: what was read of it already.

    Raises:
        WarehouseError: the body is not of its encoding, or a statement is too large.
        ValueError: a malformed form.
    """
    tables: tuple[multipart.ExternalTable, ...] = ()
    if request.boundary:
        start += await body.rest()
        fields, files = multipart.parse(start, request.boundary)
        request.take_form(fields)
        tables, start = multipart.external_tables(files, request.parameters), b""
    query = request.parameters.get("query", "").encode()
    apart = request.values_apart and (not body.complete or request.flag("async_insert"))
    stated = statement.split(query, start, apart)
    if not body.complete and not stated.input_format:
        start += await body.rest()
        stated = statement.split(query, start, apart)
    return stated, request.context(tables)
