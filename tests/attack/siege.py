"""Statements by grammar against a world, in batches of one attacker each, and what came of it.

After each batch the world is looked at. If something happened that must not, the statements that
did it are looked for, on a repaired world, and then made as short as they can be.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import urllib3

from tests.attack.grammar import Attack, attack
from tests.attack.world import HIDDEN, HIDDEN_ROWS, KEPT, SECRET, Attacker, World

BATCH, _THREADS = 250, 6
#: Enough to run what it is about; most attacks that take longer wait for nothing.
_SECONDS, _MOST_READ = 1, 4 << 20
_PATIENCE_S = (120.0, 15.0)  # with an admin less: he may wait for a server that is none
MOST_MIB = 6144  # of a server that holds 2 GiB for a reader's statement at most
_TOKEN = re.compile(r"\s+|\w+|'[^']*'|`[^`]*`|.", re.DOTALL)
_COUNTS = re.compile(rb"(?<![\d.])(?:%d|%d)(?![\d.])" % (HIDDEN_ROWS, HIDDEN_ROWS + 3))


@dataclass(frozen=True)
class Finding:
    """What must not be: who did it by which requests, of which numbers of the seed."""

    who: str
    what: tuple[str, ...]
    attacks: tuple[Attack, ...]
    seed: int
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        shown = [
            f"\n    {a.sql!r} {a.parameters or ''} {a.data!r} {a.method}" for a in self.attacks
        ]
        several = f"{self.numbers[0]} to {self.numbers[-1]}, together only, among them"
        numbers = self.numbers[0] if len(shown) == 1 else several
        heading = f"seed {self.seed}, number {numbers}, as {self.who}: {'; '.join(self.what)}"
        return heading + "".join(shown[-5:])


class Siege:
    """Attacks a world. shortens: what is found is looked for again, one statement, a short one."""

    def __init__(self, world: World, seed: int, shortens: bool = True) -> None:
        self._world, self._seed, self._shortens = world, seed, shortens
        self.answered: dict[int, int] = {}  # HTTP status, how many

    def batches(
        self, attackers: Sequence[Attacker], count: int, first: int = 0
    ) -> Iterator[list[Finding]]:
        """Try `count` statements from number `first` on; what each batch of them found."""
        for start in range(first, first + count, BATCH):
            numbers = range(start, min(start + BATCH, first + count))
            attacker = attackers[(start // BATCH) % len(attackers)]
            yield self._batch(attacker, numbers)

    def _batch(self, attacker: Attacker, numbers: Iterable[int]) -> list[Finding]:
        tried = [(n, attack(self._world.words, self._seed, n)) for n in numbers]
        before = _State(self._world)
        with ThreadPoolExecutor(_THREADS) as pool:
            complaints = list(pool.map(lambda one: self._tell(attacker, one[1]), tried))
        findings = [
            self._finding(attacker, [one], why)
            for one, why in zip(tried, complaints, strict=True)
            if why
        ]
        if done := before.broken_by(attacker):
            self._world.repair()
            findings.append(self._finding(attacker, tried, done))
        elif attacker.role in ("writer", "recorder"):
            self._world.repair()
        return findings

    def _finding(
        self, attacker: Attacker, tried: list[tuple[int, Attack]], what: list[str]
    ) -> Finding:
        if not self._world.lives:
            return _finding_of(attacker, [*what, "the server died"], tried[-5:], self._seed)
        if not self._shortens:
            return _finding_of(attacker, what, tried, self._seed)
        few = minimised(tried, lambda some: bool(self.outcome(attacker, [a for _, a in some])))
        if len(few) == 1:
            number, one = few[0]
            short = minimised(
                _TOKEN.findall(one.sql),
                lambda some: bool(self.outcome(attacker, [replace(one, sql="".join(some))])),
            )
            few = [(number, replace(one, sql="".join(short)))]
        return _finding_of(attacker, what, few, self._seed)

    def outcome(self, attacker: Attacker, attacks: Sequence[Attack]) -> list[str]:
        """What some of them do that must not be, on a repaired world."""
        self._world.repair()
        before = _State(self._world)
        complaints = [why for one in attacks for why in self._tell(attacker, one)]
        return complaints + before.broken_by(attacker)

    def _tell(self, attacker: Attacker, one: Attack) -> list[str]:
        """Try one statement; what its answer gives away."""
        try:
            status, body = self._answer(attacker, one)
        except (urllib3.exceptions.HTTPError, ConnectionError) as error:
            # An admin may wait for whatever he likes, as long as others are answered.
            waits = attacker.role == "admin" and "timed out" in str(error)
            return [] if waits else [f"no answer: {error}"]
        with self._world.lock:
            self.answered[status] = self.answered.get(status, 0) + 1
        return [] if attacker.role == "admin" else list(_given_away(attacker, body))

    def _answer(self, attacker: Attacker, one: Attack) -> tuple[int, bytes]:
        parameters = {"max_execution_time": str(_SECONDS)} | one.parameters
        body = one.sql + ("\n" + one.data if one.data else "")
        if one.method == "GET":
            parameters["query"], body = one.sql, ""
        answer = self._world.http.request(
            one.method,
            f"{self._world.server.url}/?{urlencode(parameters)}",
            body=body.encode("utf-8", "surrogateescape"),
            headers=attacker.headers,
            preload_content=False,
            timeout=_PATIENCE_S[attacker.role == "admin"],
        )
        try:
            read = answer.read(_MOST_READ)
            return answer.status, read
        finally:
            if not answer.isclosed():
                answer.close()
            answer.release_conn()


def minimised(items: Sequence, fails: Callable[[Sequence], bool], tries: int = 300) -> list:  # type: ignore[type-arg]
    """Fewest of the items that still fail, in their order: pieces are left out, ever smaller ones.

    Args:
        items: which fail all together; if they do so no more, all are returned.
        fails: whether some of them do.
        tries: how often it is asked at most.
    """
    left, piece = list(items), max(1, len(items) // 2)
    while tries > 0:
        for start in range(0, len(left), piece):
            tries -= 1
            fewer = left[:start] + left[start + piece :]
            if tries >= 0 and fewer and fails(fewer):
                left = fewer
                break
        else:
            if piece == 1:
                break
            piece = max(1, piece // 2)
    return left


def _finding_of(
    attacker: Attacker, what: list[str], tried: Sequence[tuple[int, Attack]], seed: int
) -> Finding:
    numbers, attacks = zip(*tried, strict=True)
    return Finding(f"{attacker.name} ({attacker.role})", tuple(what), attacks, seed, numbers)


def _given_away(attacker: Attacker, body: bytes) -> Iterator[str]:
    plain = SECRET.encode()
    shapes = (
        plain,
        plain[::-1],
        plain.hex().encode(),
        plain.hex().upper().encode(),
        base64.b64encode(plain)[:-4],
    )
    if any(shape in body for shape in shapes):
        yield "a secret was told"
    if attacker.name == "ann" and (HIDDEN.encode() in body or _COUNTS.search(body)):
        yield "rows of others were told"
    if (
        attacker.name == "default"
        and attacker.password == "out"
        and b"AUTHENTICATION_FAILED" not in body
    ):
        yield "nobody was let in"
    if b"Permission denied" in body:
        yield "only the operating system refused it"
    if b"The server failed" in body:
        yield "the server failed"


class _State:
    """What a world holds before a batch."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables, self._own = world.tables(), world.engine_s_own()

    def broken_by(self, attacker: Attacker) -> list[str]:
        """What the attacker did that he may not."""
        if not self._world.lives:
            return ["the server died"]
        traces = self._world.traces()
        if (held := self._world.resident_mib()) > MOST_MIB:
            traces.append(f"{held:.0f} MiB are held")
        if attacker.role == "admin":  # his are the folders that the engine writes
            own = str(self._world.home / "backups")
            return [trace for trace in traces if not trace.startswith(own)]
        if self._world.engine_s_own() != self._own:
            traces.append("the engine has more functions, users or tables of its own")
        return traces + list(self._changed(attacker, self._world.tables()))

    def _changed(self, attacker: Attacker, now: dict[str, tuple[str, ...]]) -> Iterator[str]:
        for name, before in self._tables.items():
            if attacker.role == "writer" and name.rpartition(".")[2] not in KEPT:
                continue
            after = now.get(name, ())
            if attacker.role in ("writer", "recorder"):
                lost = _stays(name, before) - set(after[1:])
                if lost or (attacker.role == "recorder" and before[:1] != after[:1]):
                    yield f"{name} lost {len(lost)} rows or its form"
            elif after != before:
                yield f"{name} is changed"
        if attacker.role != "writer" and now.keys() != self._tables.keys():
            yield f"tables came or went: {now.keys() ^ self._tables.keys()}"


def _stays(name: str, content: tuple[str, ...]) -> set[str]:
    """What is there still when somebody added rows: all of some tables, the keys of others."""
    kept = name.rpartition(".")[2] in KEPT
    return {row for row in content[1:] if kept or row.startswith("key ")}
