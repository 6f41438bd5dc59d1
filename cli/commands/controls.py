"""`tickhouse controls`: begin to sign a home's controls, see them, sign second, approve, withdraw.

What is signed is shown first. Limits, overrides, releases, resuming and reference data have
commands of their own, which sign as soon as a home's controls have begun.
"""

import argparse
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.table import Table

from audit.retention import policies
from cli import signing
from cli.chosen_strategy import chosen
from cli.commands.printed import output
from cli.diagnostics import trial_verdict
from core import desk
from core.clock import SystemClock
from core.controls import approvals, desks, keys, rules, store
from core.controls.contents import Genesis, Person, Policy, PolicyChange
from core.controls.effects import take_effect
from core.controls.entry import Entry, Kind, sha256
from core.controls.fold import Controls
from core.controls.signing import Draft, approval, withdrawal
from core.controls.version import Version
from core.errors import SettingsError
from core.feature_set import FOLDER
from core.settings import Settings
from core.trading_control import current as ordered
from core.trading_control import write
from execution.risk.signed_resumes import kept_in
from features import own
from strategies import plugins

_LONGEST_DAYS = 400
_APPROVABLE = (
    "strategy", "feature", "desk", "model", "settings", "exits", "terminal_check", "retention",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    begin = actions.add_parser("begin", help="from now on only signed controls take effect here")
    begin.add_argument("--firm", action="store_true", help="two people for all that raises risk")
    begin.add_argument(
        "--person", action="append", default=[], metavar="NAME=FILE.pub", help="who else may sign"
    )
    begin.add_argument("--by", required=True, metavar="WHO", help="the first who may sign")
    actions.add_parser("list", help="every signed entry: who, when, what, what became of it")
    actions.add_parser("pending", help="what waits for a second person, or for its day")
    actions.add_parser("verify", help="chain, signatures and the copy outside; 1 when not whole")
    trust = actions.add_parser("trust", help="trust a home that began elsewhere")
    trust.add_argument("fingerprint", help="as who began it reads it from `controls list`")
    sign = actions.add_parser("sign", help="the second signature under an entry that waits")
    withdraw = actions.add_parser("withdraw", help="take back what waits, an approval, an override")
    for action in (sign, withdraw):
        action.add_argument("number", type=int)
    approve = actions.add_parser(
        "approve",
        help="a strategy, own feature, model, terminal check, the desk, settings, exits, retention",
    )
    approve.add_argument("kind", choices=_APPROVABLE)
    approve.add_argument(
        "subject", nargs="?", default="", help="which strategy or model, or the server"
    )
    approve.add_argument("--days", type=float, default=90.0, help="until it ends (default: 90)")
    policy = actions.add_parser("policy", help="two people (firm), or one and a delay (single)")
    policy.add_argument("policy", choices=("firm", "single"))
    for action in (sign, withdraw, approve, policy):
        action.add_argument("--by", required=True, metavar="WHO", help="who signs")
        action.add_argument("--reason", required=True, metavar="TEXT", help="why, for the record")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it."""
    return _ACTIONS[namespace.action](namespace, settings) or 0


def _begin(namespace: argparse.Namespace, settings: Settings) -> None:
    place, policy = signing.place_of(settings), _policy(namespace.firm)
    if store.is_begun(place):
        raise SettingsError(f"the controls of {settings.home_path} have begun: controls list")
    known = keys.known(signing.keys_folder(settings))
    if namespace.by not in known:
        raise SettingsError(f"{namespace.by} has no key here: tickhouse keys new {namespace.by}")
    people = {namespace.by: known[namespace.by], **_named(namespace.person)}
    if namespace.firm and len(set(people.values())) < 2:
        raise SettingsError("a firm has two people with keys of their own: --person NAME=FILE.pub")
    content = msgspec.json.encode(
        Genesis(policy, tuple(Person(*one) for one in people.items()), secrets.token_hex(16))
    )
    changes = (
        f"controls of {settings.home_path}: files → signed by {', '.join(people)}, {policy}",
    )
    _, after = signing.sign(
        settings, Draft("genesis", "", content, namespace.by, "begun", changes=changes)
    )
    before = ordered(settings.home_path)
    if before is not None:  # what a person ordered before still counts
        write(kept_in(place), before)
    print(f"Fingerprint {_fingerprint(after)}: other machines trust this home by it.")
    print("Next: tickhouse limits install FILE --by WHO --reason TEXT")


def _policy(firm: bool) -> Policy:
    return "firm" if firm else "single"


def _named(given: list[str]) -> dict[str, str]:
    people = {}
    for text in given:
        name, separator, path = text.partition("=")
        if not separator:
            raise SettingsError(f"--person {text}: write NAME=FILE.pub")
        people[name] = keys.read_public(Path(path))
    return people


def _fingerprint(controls: Controls) -> str:
    return controls.line_of(1)[:32]


def _trust(namespace: argparse.Namespace, settings: Settings) -> None:
    place = signing.place_of(settings)
    lines = place.chain.read_bytes() if place.chain.is_file() else b""
    controls = signing.read_lines(place, lines)
    if not controls.entries or controls.problem:
        raise SettingsError(f"{place.chain}: nothing that could be trusted: {controls.problem}")
    if namespace.fingerprint != _fingerprint(controls):
        raise SettingsError(
            f"{place.chain} began otherwise ({_fingerprint(controls)}): not trusted"
        )
    contents = {e.content: place.content(e.content) for e in controls.entries}
    store.pin(place, lines, {name: one for name, one in contents.items() if one is not None})
    print(f"{settings.home_path} is trusted up to entry {len(controls.entries)}.")


def _list(namespace: argparse.Namespace, settings: Settings) -> None:
    controls = _begun(settings)
    table = Table("entry", "when", "who", "what", "changes", "")
    for entry in controls.entries:
        what = f"{entry.kind} {entry.subject}".strip()
        why = "\n".join((*entry.changes, entry.reason))
        state = _state(entry, controls)
        table.add_row(str(entry.number), signing.time_text(entry.ts_us), entry.by, what, why, state)
    console = output.console(highlight=False, soft_wrap=True, markup=False)
    console.print(table)
    console.print(f"{'firm' if controls.firm else 'single'}; fingerprint {_fingerprint(controls)}")
    if controls.problem:
        console.print(f"NOTE {controls.problem}")


def _state(entry: Entry, controls: Controls) -> str:
    if entry.number in controls.void:
        return f"void: {controls.void[entry.number]}"
    if entry.number in controls.waiting or entry.kind not in rules.RULES:
        return signing.outcome(entry.number, controls) if entry.number in controls.waiting else ""
    now = max(SystemClock().now_us(), controls.newest_us)
    held = controls.subjects(entry.kind, now)
    if all(version.entry.number != entry.number for version in held):
        return "ended or replaced"
    return f"until {signing.time_text(entry.until_us)}" if entry.until_us else "holds"


def _pending(namespace: argparse.Namespace, settings: Settings) -> None:
    controls = _begun(settings)
    for number, version in controls.waiting.items():
        entry = version.entry
        print(f"{number} {entry.kind} {entry.subject} by {entry.by}: {entry.reason}")
        for change in entry.changes:
            print(f"  {change}")
        print(f"  {signing.outcome(number, controls)}")
    if not controls.waiting:
        print("Nothing waits.")


def _verify(namespace: argparse.Namespace, settings: Settings) -> int:
    controls = _begun(settings)
    print(f"{len(controls.entries)} entries are genuine, signed by {', '.join(controls.people)}.")
    if controls.problem:
        print(f"BREAK {controls.problem}")
    return 1 if controls.problem else 0


def _begun(settings: Settings) -> Controls:
    if not signing.is_begun(settings):
        raise SettingsError(
            f"the controls of {settings.home_path} are files, and nobody signs them; to begin:"
            " tickhouse keys new NAME, then tickhouse controls begin --by NAME"
        )
    return signing.current(settings)


def _sign(namespace: argparse.Namespace, settings: Settings) -> None:
    now, number = _begun(settings), namespace.number
    draft = approval(now, number, namespace.by, namespace.reason)
    approved = now.entries[number - 1]
    first = f"entry {number} by {approved.by}: {approved.kind} {approved.subject} {approved.reason}"
    _, after = signing.sign(settings, draft._replace(changes=(first, *approved.changes)))
    take_effect(settings, approved, after)


def _withdraw(namespace: argparse.Namespace, settings: Settings) -> None:
    now = _begun(settings)
    draft = withdrawal(now, namespace.number, namespace.by, namespace.reason)
    entry = now.entries[namespace.number - 1]
    change = f"entry {entry.number}, {entry.kind} {entry.subject} by {entry.by}: withdrawn"
    signing.sign(settings, draft._replace(changes=(change,)))


def _approve(namespace: argparse.Namespace, settings: Settings) -> None:
    now, kind = _begun(settings), namespace.kind
    subject, content = _approved(kind, namespace.subject, settings)
    end = 0
    if rules.RULES[kind].ends == "must":
        if not 0 < namespace.days <= _LONGEST_DAYS:
            raise SettingsError(f"--days {namespace.days:g}: an approval holds up to 400 days")
        end = SystemClock().now_us() + round(namespace.days * 86_400e6)
    before = now.version(kind, subject, SystemClock().now_us())
    change = f"{kind} {subject}: {_shown(now, before)} → {_text(content)}"
    if kind == "terminal_check":
        verdict = trial_verdict.load(settings.home_path)
        assert verdict is not None
        change += f" (passed on {verdict.server}, {verdict.company}, at {verdict.at})"
    entry, after = signing.sign(
        settings,
        Draft(kind, subject, content, namespace.by, namespace.reason, end, changes=(change,)),
    )
    take_effect(settings, entry, after)


def _approved(kind: Kind, subject: str, settings: Settings) -> tuple[str, bytes]:
    """What is approved, by its name and in bytes."""
    if kind == "settings":
        return "", approvals.settings_content(settings)
    if kind == "exits":
        return "", approvals.exits_content(settings)
    if kind == "retention":
        return "", policies.content(settings.home_path)
    if kind == "desk":
        return "", desks.read(desk.path_in(settings.home_path)).content
    if not subject:
        raise SettingsError(f"controls approve {kind}: which one? name it")
    if kind == "strategy":
        name = chosen(subject, settings)  # a file is put where every process finds it
        text = plugins.content(name, settings.home_path / "strategies")
        return name, text or approvals.shipped_content(name)
    if kind == "feature":
        return subject, own.load(settings.home_path / FOLDER / f"{subject}.py").body
    if kind == "terminal_check":
        return subject, _passed_check(settings)
    from models.serving.registry import Registry

    model = Registry(settings.home_path / "models").resolve(subject)
    return model, model.encode() + b"\n"


def _passed_check(settings: Settings) -> bytes:
    """The newest verdict. Its server is the demo one of a broker; who signs says that it counts."""
    verdict = trial_verdict.load(settings.home_path)
    if verdict is None or not verdict.passed:
        raise SettingsError("no passed terminal check in this home: tickhouse terminal-check")
    return trial_verdict.path_in(settings.home_path).read_bytes()


def _shown(now: Controls, version: Version | None) -> str:
    content = now.content(version) if version else None
    return _text(content) if content is not None else "none"


def _text(content: bytes) -> str:
    """Short contents as they are, longer ones by what names them."""
    text = content.decode("utf-8", "replace").strip()
    return text if len(text) < 100 else f"{len(content):,} bytes, SHA-256 {sha256(content)[:16]}"


def _change_policy(namespace: argparse.Namespace, settings: Settings) -> None:
    now = _begun(settings)
    content = msgspec.json.encode(PolicyChange(namespace.policy))
    change = f"policy: {_policy(now.firm)} → {namespace.policy}"
    signing.sign(
        settings,
        Draft("policy", "", content, namespace.by, namespace.reason, changes=(change,)),
    )


_ACTIONS: dict[str, Callable[[argparse.Namespace, Settings], int | None]] = {
    "begin": _begin, "list": _list, "pending": _pending, "verify": _verify, "trust": _trust,
    "sign": _sign, "withdraw": _withdraw, "approve": _approve, "policy": _change_policy,
}  # fmt: skip
