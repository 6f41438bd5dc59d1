"""What a chain of signed entries means at a time: who may sign, what holds, what waits.

Pure: bytes in, state out. An entry that does not fit its place or signature ends the reading there;
what was signed before it goes on holding. One that fits and must not count (an approver who
approves himself, a version of limits that were replaced meanwhile) stays in the chain as void.
Time never goes back within a chain, so a clock that was set back brings nothing back.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from core.controls import keys
from core.controls.contents import Genesis, Person, PolicyChange
from core.controls.entry import Entry, Kind, line, sha256, signed_bytes
from core.controls.rules import DELAY_US, RULES, Judge, need
from core.controls.version import Broken, Version, Void

T = TypeVar("T")
Contents = Callable[[str], bytes | None]
Slot = tuple[Kind, str]
_OWN: tuple[Kind, ...] = ("person", "policy")


class Controls:
    """State after some entries; `at` brings it to a time."""

    def __init__(self, contents: Contents, judge: Judge, genuine: set[str] | None = None) -> None:
        self._contents, self._judge = contents, judge
        self._genuine = set[str]() if genuine is None else genuine  # lines checked before
        self.entries: list[Entry] = []
        self.people: dict[str, Person] = {}
        self.firm = False
        self.waiting: dict[int, Version] = {}
        self.in_slots: dict[Slot, Version] = {}
        self.listed: list[Version] = []
        self.void: dict[int, str] = {}
        self.taken: dict[int, Version] = {}  # every version that ever held, by number
        self.problem = ""
        self._previous = ""
        self._lines: dict[int, str] = {}

    @property
    def head(self) -> str:
        """SHA-256 of the last genuine line; empty of an empty chain."""
        return self._previous

    def line_of(self, number: int) -> str:
        """SHA-256 of an entry's line; of the first it is how the home is known."""
        return self._lines[number]

    @property
    def newest_us(self) -> int:
        """Time of the last entry: what is known of the time without a clock."""
        return self.entries[-1].ts_us if self.entries else 0

    @property
    def active(self) -> dict[str, Person]:
        """Who may sign now."""
        return {name: person for name, person in self.people.items() if not person.revoked}

    def version(self, kind: Kind, subject: str, now_us: int) -> Version | None:
        """What holds at a time; None when nothing does, or not any more."""
        held = self.in_slots.get((kind, subject))
        return held if held and held.holds(now_us) else None

    def subjects(self, kind: Kind, now_us: int) -> list[Version]:
        """All that holds of a kind."""
        slots = [v for (k, _), v in self.in_slots.items() if k == kind]
        listed = [v for v in self.listed if v.entry.kind == kind]
        return [v for v in (*slots, *listed) if v.holds(now_us)]

    def content(self, version: Version) -> bytes | None:
        """What was signed; None when it is nowhere to be read as it was."""
        return self._contents(version.entry.content)

    def next_us(self, now_us: int) -> int:
        """When the next delay ends; 0 when none is waited for."""
        due = [v.due_us for v in self.waiting.values() if v.due_us > now_us]
        return min(due, default=0)

    def settle(self, now_us: int) -> None:
        """Let hold what has waited long enough."""
        due = [v for v in self.waiting.values() if v.due_us and v.due_us <= now_us]
        for version in sorted(due, key=lambda v: v.due_us):
            del self.waiting[version.entry.number]
            try:
                self._put_in_force(version, version.due_us)
            except Void as reason:
                self.void[version.entry.number] = str(reason)

    def add(self, raw: bytes) -> None:
        """One more line of the chain.

        Raises:
            Broken: it is not genuine; nothing was changed.
        """
        entry = self._decoded(raw)
        public = self._public_of(entry)
        digest = sha256(raw)
        if digest not in self._genuine:
            if not keys.fits(public, signed_bytes(entry), entry.signature):
                raise Broken(f"its signature was not made with the key of {entry.by}")
            self._genuine.add(digest)
        self.settle(entry.ts_us)
        try:
            self._take(entry)
        except Void as reason:
            self.void[entry.number] = str(reason)
        self.entries.append(entry)
        self._previous = self._lines[entry.number] = digest

    def _decoded(self, raw: bytes) -> Entry:
        try:
            entry = msgspec.json.decode(raw, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Broken(f"no entry ({error})") from error
        if line(entry) != raw:
            raise Broken("not as it was written")
        if entry.number != len(self.entries) + 1 or entry.previous != self._previous:
            raise Broken("it does not follow the line before")
        if entry.ts_us < self.newest_us:
            raise Broken("it is older than the line before")
        return entry

    def _public_of(self, entry: Entry) -> str:
        if entry.number == 1:
            people = {p.name: p for p in self._genesis(entry).people}
        else:
            people = self.active
        if entry.by not in people:
            raise Broken(f"{entry.by} may not sign")
        return people[entry.by].public

    def _genesis(self, entry: Entry) -> Genesis:
        try:
            content = self._contents(entry.content)
            return msgspec.json.decode(content or b"", type=Genesis)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Broken(f"it is no beginning ({error})") from error

    def _take(self, entry: Entry) -> None:
        match entry.kind:
            case "genesis" if entry.number == 1:
                begun = self._genesis(entry)
                self.people = {person.name: person for person in begun.people}
                self.firm = begun.policy == "firm"
            case "genesis":
                raise Void("a home begins once")
            case "approve":
                self._approve(entry)
            case "withdraw":
                self._withdraw(entry)
            case _:
                self._propose(entry)

    def _propose(self, entry: Entry) -> None:
        rule = RULES[entry.kind]
        if rule.ends == "must" and not entry.until_us:
            raise Void("it has no end, and must have one")
        if rule.ends == "never" and entry.until_us:
            raise Void("it has an end, and ends only when another replaces it")
        content = self._contents(entry.content)
        if content is None:
            raise Broken("what was signed is nowhere to be read")
        if entry.base != self.base(entry.kind, entry.subject):
            raise Void("it was signed against another version than the one in force")
        raises = self.raises(entry.kind, entry.subject, entry.base, content)
        needs = need(entry.kind, raises=raises, firm=self.firm)
        due = entry.ts_us + DELAY_US if needs == "delay" else 0
        version = Version(entry, raises, needs, due_us=due)
        if needs:
            self.waiting[entry.number] = version
        else:
            self._put_in_force(version, entry.ts_us)

    def base(self, kind: Kind, subject: str) -> int:
        """Number of the version that a new one is judged against; an override against limits."""
        if kind == "override":
            kind, subject = "limits", ""
        if kind not in RULES or not RULES[kind].slots:
            return 0
        held = self.in_slots.get((kind, subject))
        return held.entry.number if held else 0

    def raises(self, kind: Kind, subject: str, base: int, content: bytes) -> bool:
        """Whether a content raises risk against the version it would replace."""
        rule = RULES[kind]
        if kind == "person":
            return not _decoded(content, Person).revoked
        if kind == "policy":
            return _decoded(content, PolicyChange).policy != "firm"
        if rule.direction != "judged":
            return rule.direction == "raises"
        before: bytes | None = None
        if base:
            before = self._contents(self.taken[base].entry.content)
            if before is None:
                return True
        return self._judge(kind, subject, before, content)

    def _approve(self, entry: Entry) -> None:
        version = self.waiting.get(entry.base)
        if version is None:
            raise Void(f"entry {entry.base} does not wait for anybody")
        if entry.content != self._lines[entry.base]:
            raise Void(f"it approves another entry than {entry.base} of this chain")
        proposer = version.entry.by
        if entry.by == proposer or self._same_key(entry.by, proposer):
            raise Void(f"{entry.by} approves himself")
        if proposer not in self.active:
            raise Void(f"{proposer}, who signed it first, may not sign any more")
        if not version.holds(entry.ts_us):
            raise Void("it has ended before it was approved")
        del self.waiting[entry.base]
        self._put_in_force(version._replace(approved_by=entry.by, due_us=0), entry.ts_us)

    def _same_key(self, one: str, other: str) -> bool:
        return self.people[one].public == self.people[other].public

    def _withdraw(self, entry: Entry) -> None:
        """What waits, or what was allowed: an approval, an override. Limits are replaced."""
        if self.waiting.pop(entry.base, None):
            return
        version = self.taken.get(entry.base)
        if version is None or RULES[version.entry.kind].ends != "must":
            raise Void(f"entry {entry.base} is nothing that can be withdrawn")
        ended = version._replace(entry=replace(version.entry, until_us=max(1, entry.ts_us)))
        slot = version.entry.kind, version.entry.subject
        if self.in_slots.get(slot) is version:
            self.in_slots[slot] = ended
        self.listed = [ended if v is version else v for v in self.listed]

    def _put_in_force(self, version: Version, now_us: int) -> None:
        entry = version.entry
        if entry.base != self.base(entry.kind, entry.subject):
            raise Void("another version took effect before it")
        version = version._replace(from_us=now_us)
        content = self._contents(entry.content)
        if entry.kind in _OWN and content is not None:
            self._govern(entry, content)
        if RULES[entry.kind].slots:
            self.in_slots[entry.kind, entry.subject] = version
        else:
            self.listed.append(version)
        self.taken[entry.number] = version
        if entry.kind == "limits":  # overrides were allowed against the limits of before
            self.listed = [v for v in self.listed if v.entry.kind != "override"]

    def _govern(self, entry: Entry, content: bytes) -> None:
        if entry.kind == "policy":
            firm = _decoded(content, PolicyChange).policy == "firm"
            if firm and len(self.active) < 2:
                raise Void("a firm has two people who may sign, at least")
            self.firm = firm
            return
        person = _decoded(content, Person)
        if person.name != entry.subject:
            raise Void("it names two people")
        others = [p.public for p in self.people.values() if p.name != person.name]
        if not person.revoked and person.public in others:
            raise Void("this key is another person's")
        self.people[person.name] = person
        if person.revoked:
            self._forget(person.name)

    def _forget(self, name: str) -> None:
        """What waits with the signature of somebody who may not sign any more."""
        for number in [n for n, v in self.waiting.items() if v.entry.by == name]:
            del self.waiting[number]
            self.void[number] = f"{name}, who signed it, may not sign any more"


def fold(
    lines: bytes, contents: Contents, judge: Judge, now_us: int, genuine: set[str] | None = None
) -> Controls:
    """The state of a chain at a time; `problem` says what ended the reading, in words."""
    controls = Controls(contents, judge, genuine)
    for number, raw in enumerate(_lines(lines), 1):
        try:
            controls.add(raw)
        except Broken as error:
            controls.problem = f"entry {number}: {error}"
            break
    controls.settle(max(now_us, controls.newest_us))
    return controls


def _lines(content: bytes) -> Iterator[bytes]:
    yield from content.splitlines(keepends=True)


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Void(f"its content is no {kind.__name__}: {error}") from error
