"""A home whose controls are signed, and people who sign in it; nobody types anything."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.clock import ManualClock
from core.controls import signing
from core.controls.contents import Genesis, Person, Policy, PolicyChange
from core.controls.entry import Entry, Kind
from core.controls.fold import Controls
from core.controls.keys import public_of
from core.controls.rules import Judge
from core.controls.signing import Draft
from core.controls.store import Place, place_of
from core.sections import ControlSettings
from execution.risk import direction
from execution.risk.limits import parse

#: In microseconds: a Monday in November 2026.
START_US = 1_794_830_400_000_000
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
END_US = START_US + 90 * DAY_US


class SignedHome:
    """A folder with `home` and `trust`, begun by `people`; a firm's when told so."""

    def __init__(
        self, folder: Path, people: Iterable[str] = ("ann",), policy: Policy = "single",
        judge: Judge = direction.raises, start_us: int = START_US,
    ) -> None:  # fmt: skip
        self.home, self.settings = folder / "home", ControlSettings(trust=str(folder / "trust"))
        self.home.mkdir(exist_ok=True)
        self.place: Place = place_of(self.home, self.settings)
        self.clock, self.judge = ManualClock(start_us), judge
        self.keys = {name: Ed25519PrivateKey.generate() for name in people}
        first, *_ = self.keys
        known = tuple(Person(name, public_of(key)) for name, key in self.keys.items())
        content = msgspec.json.encode(Genesis(policy, known, "random"))
        self.write(Draft("genesis", "", content, first, "begun"))

    def write(self, draft: Draft) -> Entry:
        key = self.keys[draft.by]
        return signing.sign(self.place, draft, key, self.judge, self.clock)[0]

    def sign(
        self, kind: Kind, content: bytes, by: str = "ann", subject: str = "", until_us: int = 0
    ) -> Entry:
        return self.write(Draft(kind, subject, content, by, "test", until_us))

    def limits(self, text: str, by: str = "ann") -> Entry:
        content = f'version = "t"\n[limits]\n{text}\n'.encode()
        return self.write(Draft("limits", "", content, by, "test", changes=self._diff(content)))

    def _diff(self, content: bytes) -> tuple[str, ...]:
        """Old and new, as the command line shows them."""
        version = self.now().version("limits", "", self.clock.now_us())
        before = self.now().content(version) if version else None
        held = parse(before, "before") if before else direction.SHIPPED
        return tuple(map(str, direction.changes(held, parse(content, "after"))))

    def approve(self, number: int, by: str) -> Entry:
        return self.write(signing.approval(self.now(), number, by, "test"))

    def withdraw(self, number: int, by: str) -> Entry:
        return self.write(signing.withdrawal(self.now(), number, by, "test"))

    def person(self, name: str, by: str = "ann", *, revoked: bool = False) -> Entry:
        key = self.keys.setdefault(name, Ed25519PrivateKey.generate())
        content = msgspec.json.encode(Person(name, public_of(key), revoked))
        return self.sign("person", content, by, name)

    def policy(self, policy: Policy, by: str = "ann") -> Entry:
        return self.sign("policy", msgspec.json.encode(PolicyChange(policy)), by)

    def now(self) -> Controls:
        return signing.current(self.place, self.judge, self.clock)

    def wait(self, us: int) -> None:
        self.clock.advance(self.clock.now_us() + us)

    def max_lots(self) -> str:
        """Of the limits in force, as they were written; empty without any."""
        version = self.now().version("limits", "", self.clock.now_us())
        content = version and self.now().content(version)
        return content.decode().split("max_lots = ")[1].split()[0] if content else ""
