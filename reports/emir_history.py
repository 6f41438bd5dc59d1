"""What a trade repository holds after the released versions of a day's report, in turn."""

from collections.abc import Iterable, Mapping

from reports.package import Version
from reports.tables import rows_of

KEY, ACTION, EVENT = "record_id", "t2_151_action_type", "t2_152_event_type"
SUBMISSION, MARGIN_SUBMISSION = "submission.csv", "margin_submission.csv"
MARGIN_ACTION = "t3_28_action_type"
Row = Mapping[str, str]
Rows = dict[str, dict[str, str]]


def at_the_repository(released: Iterable[Version]) -> tuple[Rows, frozenset[str]]:
    """By record: what was sent last and stands, and what was taken back (EROR).

    A corrected record stands with the action and event under which it was sent first: they say
    what happened, CORR and REVI only why it was sent again.
    """
    held, taken_back = Rows(), Rows()
    for version in released:
        for row in rows_of(version.folder / SUBMISSION):
            key, action = row[KEY], row[ACTION]
            if action == "EROR":
                taken_back[key] = held.pop(key, row)
                continue
            before = held.get(key) or taken_back.pop(key, None)
            kept = {} if before is None else {ACTION: before[ACTION], EVENT: before[EVENT]}
            held[key] = row | kept
    return held, frozenset(taken_back)


def margins_held(released: Iterable[Version]) -> Rows:
    """Margins by record, as they were sent last, each as a new balance (MARU)."""
    return {
        row[KEY]: row | {MARGIN_ACTION: "MARU"}
        for version in released
        for row in rows_of(version.folder / MARGIN_SUBMISSION)
    }


def fields_of(row: Row) -> dict[str, str]:
    """The fields of the annexes that say something: one that was added since says nothing yet."""
    return {
        name: value
        for name, value in row.items()
        if value and name[:1] == "t" and name[1:2].isdigit()
    }
