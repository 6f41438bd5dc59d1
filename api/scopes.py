"""What a key may, and what of it the person behind the key may by their role.

A key never does more than its person could: the role is read anew from the home's users with each
request. Without users nobody is told apart, and a key may what it was made for. Halting is
everybody's, as everywhere in the product: stopping must not wait.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from core.identity import Role

Scope = Literal["market", "desk", "compliance", "halt", "control"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
#: What each lets its holder do, in a line.
MEANING: Mapping[Scope, str] = {
    "market": "quotes, ticks, bars, features, predictions",
    "desk": "signals, orders, positions, accounts, risk, models, lineage, explain",
    "compliance": "reports and cases",
    "halt": "halt trading",
    "control": "prepare a resume; hand in versions that people signed",
}
OF_ROLE: Mapping[Role, frozenset[Scope]] = {
    "admin": frozenset(SCOPES),
    "risk": frozenset({"market", "desk", "halt", "control"}),
    "analyst": frozenset({"market", "desk", "halt"}),
    "compliance": frozenset({"market", "desk", "compliance", "halt"}),
    "grafana": frozenset({"market", "halt"}),
    "writer": frozenset({"halt"}),
    "recorder": frozenset({"halt"}),
}
