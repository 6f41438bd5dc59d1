"""What may be done from afar: halt, prepare a resume, and hand in what people signed elsewhere."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from core import audit_log, prepared_resume, trading_control
from core.contracts.audit import AuditEvent
from core.controls import signing
from core.controls.contents import Person
from core.controls.entry import Entry, Kind, sha256, signed_bytes
from core.controls.keys import public_of
from core.controls.signing import Draft
from core.trading_control import ControlCommand, content_of
from execution.risk.overrides import Override
from tests.support.api_desk import ApiDesk, problem_of
from tests.support.signed_home import DAY_US, HOUR_US, SignedHome


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ApiDesk]:
    desk = ApiDesk(tmp_path / "home")
    desk.key("halt")
    yield desk
    desk.close()


class Afar:
    """A home whose people sign elsewhere, and hand in by a key of somebody's."""

    def __init__(self, folder: Path, **how: Any) -> None:
        self.signed = SignedHome(folder, **how)
        self.desk = ApiDesk(
            self.signed.home, clock=self.signed.clock, controls=self.signed.settings
        )
        self.desk.key("control", user="a program")

    def hold_limits(self, text: str) -> None:
        """Sign limits at the home, and wait until they hold."""
        self.signed.limits(text)
        self.signed.wait(DAY_US + 1)
        self.desk.key("control", user="a program")

    def draft(self, kind: Kind, content: bytes, by: str = "ann", **more: Any) -> Entry:
        """An entry as its signer makes it, from what the home says holds."""
        draft = Draft(kind, more.pop("subject", ""), content, by, "from afar", **more)
        return self.entry(draft)

    def entry(self, draft: Draft) -> Entry:
        now, key = self.signed.now(), self.signed.keys[draft.by]
        return signing.signed(now, draft, key, self.signed.clock.now_us())

    def resigned(self, entry: Entry, **other: Any) -> Entry:
        """The entry with something else in it, and a signature of who signed it that fits."""
        by, entry = entry.by, replace(entry, **other)
        signature = self.signed.keys[by].sign(signed_bytes(entry)).hex()
        return replace(entry, signature=signature)

    def hand_in(self, entry: Entry, content: bytes) -> Any:
        body = {"entry": entry, "content": base64.b64encode(content).decode()}
        return self.desk.post("/v1/controls", body)

    def refusal(self, entry: Entry, content: bytes) -> str:
        """Why it was refused; nothing changed by it."""
        before = self.files()
        answer = self.hand_in(entry, content)
        assert (answer.status_code, problem_of(answer)) == (409, "refused")
        assert self.files() == before
        return str(answer.json()["detail"])

    def files(self) -> dict[str, bytes]:
        folders = (self.signed.home, self.signed.home.parent / "trust")
        return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*")
                if path.is_file() and path.suffix != ".lock"}  # fmt: skip


@pytest.fixture
def afar(tmp_path: Path) -> Iterator[Afar]:
    afar = Afar(tmp_path)
    yield afar
    afar.desk.close()


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Afar]:
    firm = Afar(tmp_path, people=("ann", "bob"), policy="firm")
    yield firm
    firm.desk.close()


def notes(desk: ApiDesk) -> list[AuditEvent]:
    """What the trail holds of the API's acts."""
    events = audit_log.read(audit_log.path_in(desk.home))
    return [event for event in events if event.action.startswith("api ")]


def limits(lots: int) -> bytes:
    return f'version = "t"\n[limits]\nmax_lots = {lots}\n'.encode()


def test_a_halt_holds_and_says_by_whom(desk: ApiDesk) -> None:
    said = desk.post("/v1/halt", {"reason": "  fat finger "}).json()
    assert said == {"by": "ann", "reason": "fat finger", "heard": False, "unwritten": ""}
    held = trading_control.current(desk.home)
    assert held is not None
    assert (held.state, held.by, held.reason) == ("halted", "ann", "fat finger")
    (line,) = notes(desk)
    assert (line.action, json.loads(line.detail)["key"]) == ("api halt", desk.text.split("_")[1])


def test_flattening_needs_more_than_a_halt(desk: ApiDesk) -> None:
    body = {"reason": "out", "positions": "flatten"}
    assert problem_of(desk.post("/v1/halt", body)) == "scope"
    assert trading_control.current(desk.home) is None
    desk.key("halt", "control")
    assert desk.post("/v1/halt", body).status_code == 200
    held = trading_control.current(desk.home)
    assert held is not None
    assert held.positions == "flatten"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", {"reason": ""}, {"reason": "a\nb"}, {"reason": 501 * "a"}, {"reason": 1},
        {"reason": "a", "by": "bob"}, {"reason": "a", "positions": "all"}, b'{"reason": "\xff"}',
        100_000 * b"[",
    ],
)  # fmt: skip
def test_a_halt_that_says_nothing_is_none(desk: ApiDesk, body: Any) -> None:
    answer = desk.post("/v1/halt", body)
    assert (answer.status_code, problem_of(answer)) == (422, "body")
    assert trading_control.current(desk.home) is None


def test_a_form_is_no_json(desk: ApiDesk) -> None:
    answer = desk.post("/v1/halt", b"reason=a", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, problem_of(answer)) == (415, "media-type")


def test_a_repeat_acts_no_more(desk: ApiDesk) -> None:
    first = desk.post("/v1/halt", {"reason": "one"}, idempotency_key="k1")
    again = desk.post("/v1/halt", {"reason": "one"}, idempotency_key="k1")
    assert (first.status_code, again.content) == (200, first.content)
    assert len(notes(desk)) == 1
    other = desk.post("/v1/halt", {"reason": "two"}, idempotency_key="k1")
    assert (other.status_code, problem_of(other)) == (422, "idempotency-key")
    desk.key("halt")  # another's names are their own
    assert desk.post("/v1/halt", {"reason": "two"}, idempotency_key="k1").status_code == 200
    assert len(notes(desk)) == 2
    assert problem_of(desk.post("/v1/halt", {"reason": "a"}, idempotency_key=65 * "a"))


def test_a_resume_is_only_prepared(desk: ApiDesk) -> None:
    desk.post("/v1/halt", {"reason": "stop"})
    assert problem_of(desk.post("/v1/resume", {"reason": "calm"})) == "scope"
    desk.key("control")
    assert desk.post("/v1/resume", {"reason": "calm"}).json() == {"by": "ann", "reason": "calm"}
    held = trading_control.current(desk.home)
    assert held is not None
    assert held.state == "halted"
    waiting = prepared_resume.current(desk.home, desk.clock)
    assert (waiting.by, waiting.reason) == ("ann", "calm")


def test_where_nobody_signs_nothing_is_taken_in(desk: ApiDesk, afar: Afar) -> None:
    desk.key("control")
    entry = afar.draft("limits", limits(1))
    body = {"entry": entry, "content": base64.b64encode(limits(1)).decode()}
    other = ApiDesk(desk.home.parent / "unsigned")
    other.key("control")
    answer = other.post("/v1/controls", body)
    assert "nobody may sign here yet" in answer.json()["detail"]
    assert other.get("/v1/controls").json()["begun"] is False
    other.close()


def test_limits_that_lower_hold_at_once(afar: Afar) -> None:
    afar.hold_limits("max_lots = 2")
    entry = afar.draft("limits", limits(1))
    said = afar.hand_in(entry, limits(1)).json()
    assert said == {"number": entry.number, "holds": True}
    assert afar.signed.max_lots() == "1"
    assert (afar.signed.home / "limits.toml").read_bytes() == limits(1)
    chain = afar.desk.get("/v1/controls").json()
    assert (chain["entries"], chain["head"]) == (entry.number, afar.signed.now().head)
    assert (chain["begun"], chain["waiting"], chain["problem"]) == (True, [], "")


def test_limits_that_raise_wait_as_if_signed_at_the_home(afar: Afar) -> None:
    afar.hold_limits("max_lots = 1")
    entry = afar.draft("limits", limits(2))
    assert afar.hand_in(entry, limits(2)).json()["holds"] is False
    assert afar.signed.max_lots() == "1"
    assert afar.desk.get("/v1/controls").json()["waiting"] == [entry.number]
    assert not (afar.signed.home / "limits.toml").exists()


def test_a_second_person_approves_from_afar(firm: Afar) -> None:
    entry = firm.draft("limits", limits(9))
    assert firm.hand_in(entry, limits(9)).json()["holds"] is False
    approval = signing.approval(firm.signed.now(), entry.number, "ann", "me, too")
    assert "approves himself" in firm.refusal(firm.entry(approval), approval.content)
    approval = signing.approval(firm.signed.now(), entry.number, "bob", "agreed")
    said = firm.hand_in(firm.entry(approval), approval.content)
    assert said.json() == {"number": entry.number + 1, "holds": True}
    assert firm.signed.max_lots() == "9"
    assert (firm.signed.home / "limits.toml").read_bytes() == limits(9)


def test_a_resume_that_two_people_signed(firm: Afar) -> None:
    trading_control.halt(firm.signed.home, "eve", "stop", firm.signed.clock, "keep")
    order = ControlCommand("active", "ann", "calm", firm.signed.clock.now_us())
    firm.hand_in(firm.draft("resume", content_of(order)), content_of(order))
    number = len(firm.signed.now().entries)
    approval = signing.approval(firm.signed.now(), number, "bob", "agreed")
    assert firm.hand_in(firm.entry(approval), approval.content).status_code == 200
    held = trading_control.current(firm.signed.home)
    assert held is not None
    assert (held.state, held.by) == ("active", "ann")


def test_what_waits_is_withdrawn(firm: Afar) -> None:
    firm.hand_in(firm.draft("limits", limits(9)), limits(9))
    withdrawal = signing.withdrawal(firm.signed.now(), 2, "ann", "wrong")
    assert firm.hand_in(firm.entry(withdrawal), withdrawal.content).json()["holds"] is True
    assert firm.signed.now().waiting == {}


def override(afar: Afar, **other: Any) -> tuple[Entry, bytes]:
    now_us = afar.signed.clock.now_us()
    given = {"rule": "max_lots", "value": 0.5, "account": "acc1", "symbol": "", "by": "ann",
             "reason": "from afar", "from_us": now_us, "until_us": now_us + HOUR_US}  # fmt: skip
    content = msgspec.json.encode(Override(**(given | other)))
    subject = other.get("rule", "max_lots")
    return afar.draft("override", content, subject=subject, until_us=now_us + HOUR_US), content


def test_an_override_within_a_day(afar: Afar) -> None:
    assert afar.hand_in(*override(afar)).status_code == 200
    now_us = afar.signed.clock.now_us()
    assert len(afar.signed.now().subjects("override", now_us)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"by": "bob"}, {"rule": "no_rule"}, {"rule": "enabled"}, {"value": -1.0},
        {"value": float("nan")}, {"until_us": 1}, {"until_us": 2**62},
    ],
)  # fmt: skip
def test_an_override_that_is_not_what_was_signed(afar: Afar, other: dict[str, Any]) -> None:
    afar.refusal(*override(afar, **other))


def test_nobody_signs_for_somebody_else(firm: Afar) -> None:
    entry = firm.draft("limits", limits(1), by="bob")
    forged = replace(entry, by="ann")
    assert "signature" in firm.refusal(forged, limits(1))
    assert "signature" in firm.refusal(replace(entry, reason="other"), limits(1))
    assert "signature" in firm.refusal(replace(entry, signature=""), limits(1))
    assert "signature" in firm.refusal(replace(entry, signature="zz"), limits(1))
    stranger = firm.resigned(entry, by="eve")
    assert "eve may not sign" in firm.refusal(stranger, limits(1))


def test_what_does_not_follow_is_refused(afar: Afar) -> None:
    entry = afar.draft("limits", limits(1))
    assert "not what was signed" in afar.refusal(entry, limits(2))
    assert "does not follow" in afar.refusal(afar.resigned(entry, number=7), limits(1))
    assert "does not follow" in afar.refusal(afar.resigned(entry, previous=""), limits(1))
    assert "another version" in afar.refusal(afar.resigned(entry, base=99), limits(1))
    assert "no subject" in afar.refusal(afar.resigned(entry, subject="mine"), limits(1))
    assert "raises risk" in afar.refusal(afar.resigned(entry, raises=not entry.raises), limits(1))
    assert afar.hand_in(entry, limits(1)).status_code == 200
    assert "not taken" in afar.refusal(entry, limits(1))  # played again


def test_a_signature_does_not_keep(afar: Afar) -> None:
    entry, content = afar.draft("limits", limits(1)), limits(1)
    ahead = afar.resigned(entry, ts_us=entry.ts_us + 6_000_000)
    assert "ahead" in afar.refusal(ahead, content)
    before = afar.resigned(entry, ts_us=entry.ts_us - 1)
    assert "before the newest" in afar.refusal(before, content)
    afar.signed.wait(HOUR_US + 1)
    assert "too long ago" in afar.refusal(entry, content)


@pytest.mark.parametrize("kind", ["person", "policy", "strategy", "settings", "model", "genesis"])
def test_who_may_sign_and_what_runs_is_signed_at_the_home(afar: Afar, kind: Kind) -> None:
    content = msgspec.json.encode(Person("eve", public_of(afar.signed.keys["ann"])))
    entry = afar.draft("limits", limits(1))
    other = afar.resigned(entry, kind=kind, content=sha256(content), subject="eve")
    assert "at the home itself" in afar.refusal(other, content)


def test_limits_that_cannot_be_read_are_refused(afar: Afar) -> None:
    content = b"[limits]\nmax_lots = 'many'\n"
    answer = afar.hand_in(
        afar.resigned(afar.draft("limits", limits(1)), content=sha256(content)), content
    )
    assert (answer.status_code, problem_of(answer)) == (409, "refused")
    assert len(afar.signed.now().entries) == 1


def test_a_damaged_chain_takes_nothing(afar: Afar) -> None:
    entry = afar.draft("limits", limits(1))
    with afar.signed.place.chain.open("ab") as chain:
        chain.write(b"{}\n")
    assert afar.desk.get("/v1/controls").json()["problem"]
    assert afar.hand_in(entry, limits(1)).status_code == 409
