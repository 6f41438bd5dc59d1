"""Who does a thing, and what is done: a backup is made and earns nothing, each rule denies.

What one does is no figure of its own, and who does it is what rows are told apart by.
"""

from collections.abc import Sequence

from questions.catalog import measures, rows
from questions.nouns import WEAK
from questions.reading import Item
from questions.vocabulary import Meaning
from questions.words import stem

_WHICH = Meaning("which", "which")


def without_deeds(items: Sequence[Item]) -> Sequence[Item]:
    """The items with whoever does something told apart, and without the word for what is done."""
    return _who_did(_of_controls(_of_actors(_of_actions(items))))


def _who_did(items: Sequence[Item]) -> Sequence[Item]:
    """ "Who made the last correction": a correction is made, and no profit."""
    done = [
        n
        for n, i in enumerate(items)
        if n and i.said in (("made",), ("make",)) and items[n - 1].meaning.kind == "who"
    ]
    others = [i.meaning.value for i in items if i.meaning.kind == "measure"]
    is_done = set(others) - {"profit", *WEAK}
    return [
        i
        for n, i in enumerate(items)
        if not (n in done and is_done)
        and not _is_made(items, n)
        and not _is_standing(i, is_done)
        and not _is_sent(i, others)
        and not _is_done(items, n)
    ]


def _is_made(items: Sequence[Item], n: int) -> bool:
    """ "The predictions made today": those there are, unless they made money."""
    if not n or items[n].said != ("made",) or items[n - 1].meaning.kind != "measure":
        return False
    return measures()[items[n - 1].meaning.value][1].passive and items[n].last == "made"


def _is_done(items: Sequence[Item], n: int) -> bool:
    """ "When did we last make a backup": who makes something earns nothing by it."""
    said = items[n].said in (("make",), ("made",))
    of = {measures()[i.meaning.value][0].name for i in items if i.meaning.kind == "measure"}
    return said and bool(of & _DONE)


_DONE = {
    "backups", "control_changes", "corrections", "restatements", "broker_corrections", "audit",
    "changes_by_people", "sessions", "runs",
}  # fmt: skip


def _is_sent(item: Item, others: Sequence[str]) -> bool:
    """ "The symbol that sent us most ticks": orders are sent, and of others it says no more."""
    of_orders = {"sent", *(m.name for m in rows()["orders"].measure)}
    return item.said == ("sent",) and bool(set(others) - of_orders)


def _is_standing(item: Item, others: set[str]) -> bool:
    """ "What does the exposure stand at": of another figure than a price."""
    return bool(others - {"last_price"}) and item.said[:1] in (("stand",), ("stands",))


def _of_actors(items: Sequence[Item]) -> Sequence[Item]:
    """ "Which broker rejects most", "orders each rule denied": which of them, and what it does."""
    apart = list[Item]()
    for n, item in enumerate(items):
        actor = next(
            (
                word
                for word in map(stem, item.said[: 1 + (item.said[:1] == ("risk",))])
                if word in _ACTORS
            ),
            "",
        )
        before = items[n - 1].meaning if n else Meaning("")
        is_chosen = before in (_WHICH, Meaning("aggregate", "count")) or before.kind == "group"
        if is_chosen and actor and item.meaning.kind == "measure" and item.said[-1:] != (actor,):
            apart.append(Item(Meaning("dimension", _ACTORS[actor]), actor, said=(actor,)))
        apart.append(item)
    return apart


_ACTORS = {"broker": "source", "rule": "rule"}


def _of_controls(items: Sequence[Item]) -> Sequence[Item]:
    """ "Orders blocked by control", "denials by rule": of each of them, and not of one."""
    apart = list[Item]()
    for item in items:
        apart.append(item)
        each = _EACH.get(item.said[-1], "") if item.said[-2:-1] == ("per",) else ""
        if each and item.meaning.kind == "measure":
            apart.append(Item(Meaning("group", "per"), "per"))
            apart.append(Item(Meaning("dimension", each), item.last))
    return apart


_EACH = {"control": "control", "rule": "rule", "broker": "source"}


def _of_actions(items: Sequence[Item]) -> Sequence[Item]:
    """ "The most frequent action in the audit trail" is one of the actions."""
    ranked = any(i.meaning.kind == "rank" and i.meaning.value in ("most", "least") for i in items)
    named = [i for i in items if i.meaning.value == "audit_events" and ranked]
    if not named or any(i.meaning.kind == "dimension" for i in items):
        return items
    asks_what = items[0].meaning == Meaning("which", "what")
    if not (asks_what or {"action", "actions"} & set(named[0].said)):
        return items
    action = Item(Meaning("dimension", "action"), "action", said=("action",))
    at = items.index(named[0])
    return [*items[:at], Item(_WHICH), action, *items[at:]]
