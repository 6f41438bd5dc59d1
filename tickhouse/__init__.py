"""Tickhouse for people's own Python: read what a home holds, and write strategies for it.

    import tickhouse

    with tickhouse.connect() as home:              # TICKHOUSE_HOME, running or not
        bars = home.bars("EURUSD", interval="1h").pandas()

These names are the public ones. They, and the tables, columns, marts and topics of the contract
(docs/reference/contract.md), leave with two minor versions' notice; everything else of the
checkout may change with any version.
"""

from core.errors import InputError, TickhouseError, UnavailableError, WarehouseError
from features.catalog import NAMES as FEATURE_NAMES
from features.own import DefinedFeature, OwnFeature, feature_index
from strategies.orders_form import Order, Orders
from strategies.parameters import Parameter, parameter_values
from strategies.protocol import Strategy, Targets
from tickhouse.connection import Connection, connect
from tickhouse.result import Result

__all__ = [
    "FEATURE_NAMES",
    "Connection",
    "DefinedFeature",
    "InputError",
    "Order",
    "Orders",
    "OwnFeature",
    "Parameter",
    "Result",
    "Strategy",
    "Targets",
    "TickhouseError",
    "UnavailableError",
    "WarehouseError",
    "connect",
    "feature_index",
    "parameter_values",
]
