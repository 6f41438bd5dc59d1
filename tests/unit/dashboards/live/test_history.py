"""Rows of the warehouse are the messages again that they were made of."""

import msgspec

from core.contracts.order import EventKind, OrderEvent
from dashboards.live.history import as_struct

_OF_TYPE = {str: "x", int: 3, float: 0.5, EventKind: EventKind.DENIED}


def test_a_denial_of_before_is_what_the_bus_would_have_brought():
    built = OrderEvent(**{f.name: _OF_TYPE[f.type] for f in msgspec.structs.fields(OrderEvent)})
    # The client gives an enum as its text, and columns that only the table has.
    row = msgspec.structs.asdict(built) | {"kind": "denied", "inserted_at": 0}
    assert as_struct(row, OrderEvent) == built
    assert as_struct(row, OrderEvent).kind is EventKind.DENIED
