"""What people call a type, a rule or a person, as the rows that are meant call it."""

from questions.catalog import Measure, Rows
from questions.measured import ENDS_OF_TIME
from questions.parts import Parts
from questions.plan import Filter, UnansweredError


def renamed(said: Parts, rows: Rows, first: Measure) -> Parts:
    """What people call a type or a reason, as these rows call it; why is one of these, too."""
    dimensions = tuple(
        name
        for one in said.dimensions
        for name in (("source", "symbol") if one == "feed" else (one,))
    )
    if rows.name == "firm_rules":  # the rule's denials are by "firm_daily_loss"
        filters = (
            f._replace(values=tuple(v.removeprefix("firm_") for v in f.values))
            for f in said.filters
        )
        said = said._replace(filters=tuple(filters))
    if rows.name == "executions":  # a stop is an order at the broker, once it is carried out
        filters = (
            f._replace(values=("stop", "stop at the broker")) if f == _STOPS else f
            for f in said.filters
        )
        said = said._replace(filters=tuple(filters))
    if "type" in dimensions and "type" not in rows.columns and "control" in rows.columns:
        dimensions = tuple("control" if name == "type" else name for name in dimensions)
    if "control" in dimensions and "control" not in rows.columns and "kind" in rows.columns:
        dimensions = tuple("kind" if name == "control" else name for name in dimensions)
    if "rule" in dimensions and "rule" not in rows.columns and first.reasons:
        dimensions = tuple(first.reasons if name == "rule" else name for name in dimensions)
    if said.who:
        person = next((name for name in ("author", "by", "analyst") if name in rows.columns), "")
        if not person and not dimensions:
            raise UnansweredError(f"who, of {first.name}, is not stored")
        if person and said.rank not in ENDS_OF_TIME:
            said = said._replace(asks_which=True, one=True)
        dimensions = (*dimensions, person) if person else dimensions  # "who lost more, euro or"
    if _is_by_person(said, rows):
        said = said._replace(filters=(), apart=True)
        dimensions = (*dimensions, "author")
    if said.why and not ((said.whichever or said.shows) and rows.shown):
        if not first.reasons:
            raise UnansweredError(f"why, of {first.name}, is not stored")
        dimensions = (*dimensions, first.reasons)
    return said._replace(dimensions=dimensions)


def _is_by_person(said: Parts, rows: Rows) -> bool:
    """ "Entries in the audit trail, by person": of each of them, whoever it is."""
    by = [(f.column, f.values, f.leaves_out) for f in said.filters]
    has_people = "author" in rows.columns and "trigger" not in rows.columns
    return has_people and by == [("trigger", ("person",), False)]


_STOPS = Filter("type", ("stop",))
