"""Keys of the API: who holds one, what it may, until when; and who is refused, in which words."""

import shutil
from pathlib import Path

import pytest

from api import keys
from api.keys import KeyRing
from core import identity
from core.clock import ManualClock
from core.errors import SettingsError
from tests.support.api_desk import ApiDesk, problem_of

_DAY_US = 86_400_000_000


@pytest.fixture
def desk(tmp_path: Path) -> ApiDesk:
    return ApiDesk(tmp_path / "home", clock=ManualClock(1_700_000_000_000_000))


def refusal(desk: ApiDesk, text: str | None = None) -> tuple[int, str]:
    answer = desk.get("/v1/now/quotes", text)
    return answer.status_code, problem_of(answer)


def test_a_key_lets_in(desk: ApiDesk) -> None:
    desk.key("market")
    assert desk.get("/v1/now/quotes").json() == {"data": []}


def test_nobody_gets_in_without_one(desk: ApiDesk) -> None:
    assert refusal(desk, "") == (401, "key-missing")
    assert refusal(desk, "th_00000000_" + 43 * "a") == (401, "key-unknown")
    assert refusal(desk, "no key at all") == (401, "key-unknown")


def test_a_wrong_secret_of_a_known_key(desk: ApiDesk) -> None:
    text = desk.key("market")
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert refusal(desk, wrong) == (401, "key-unknown")


def test_two_headers_are_nobody(desk: ApiDesk) -> None:
    text = desk.key("market")
    headers = [("authorization", f"Bearer {text}"), ("authorization", f"Bearer {text}")]
    assert desk.client.get("/v1/now/quotes", headers=headers).status_code == 401


def test_a_key_ends(desk: ApiDesk) -> None:
    desk.key("market", days=1)
    assert isinstance(desk.clock, ManualClock)
    desk.clock.advance(desk.clock.now_us() + _DAY_US - 1)
    assert desk.get("/v1/now/quotes").status_code == 200
    desk.clock.advance(desk.clock.now_us() + 1)
    assert refusal(desk) == (401, "key-ended")


def test_a_revoked_key_is_out_with_the_next_request(desk: ApiDesk) -> None:
    text = desk.key("market")
    assert desk.get("/v1/now/quotes").status_code == 200
    desk.revoke(text)
    assert refusal(desk) == (401, "key-unknown")


def test_another_homes_key_is_none_even_with_its_file(desk: ApiDesk, tmp_path: Path) -> None:
    other = ApiDesk(tmp_path / "other", clock=desk.clock)
    text = other.key("market")
    assert refusal(desk, text) == (401, "key-unknown")
    keys.path_in(desk.home).parent.mkdir(exist_ok=True)
    shutil.copy(keys.path_in(other.home), keys.path_in(desk.home))
    assert refusal(desk, text) == (401, "key-unknown")


def test_a_scope_that_is_not_granted(desk: ApiDesk) -> None:
    desk.key("market", "halt")
    assert refusal_of(desk, "/v1/now/positions") == (403, "scope")
    assert refusal_of(desk, "/v1/orders") == (403, "scope")
    assert refusal_of(desk, "/v1/cases") == (403, "scope")


def refusal_of(desk: ApiDesk, path: str) -> tuple[int, str]:
    answer = desk.get(path)
    return answer.status_code, problem_of(answer)


def test_a_key_never_does_more_than_its_person_may(desk: ApiDesk) -> None:
    path = identity.path_in(desk.home)
    desk.key(user="ann")
    assert desk.get("/v1/controls").status_code == 200
    analyst = identity.new_user("ann", "analyst", "long enough")
    identity.save(path, {"ann": analyst})
    assert desk.get("/v1/now/positions").status_code == 200
    assert refusal_of(desk, "/v1/controls") == (403, "scope")
    identity.save(path, {})
    assert refusal(desk) == (401, "key-unknown")


def test_who_is_filtered_gets_nothing_from_memory(desk: ApiDesk) -> None:
    rules = {"tickhouse.tick": "symbol = 'EURUSD'"}
    user = identity.new_user("ann", "analyst", "long enough", rules)
    identity.save(identity.path_in(desk.home), {"ann": user})
    desk.key("market")
    assert refusal(desk) == (403, "filtered")
    assert refusal_of(desk, "/v1/stream?topics=quotes") == (403, "filtered")


def test_a_rate_is_held_and_says_when_to_come_again(desk: ApiDesk) -> None:
    desk.key("market", per_minute=3)
    codes = [desk.get("/v1/now/quotes").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    answer = desk.get("/v1/now/quotes")
    assert problem_of(answer) == "rate"
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    desk.key("market")
    assert desk.get("/v1/now/quotes").status_code == 200  # another's bucket


def test_a_damaged_file_lets_nobody_in(desk: ApiDesk) -> None:
    desk.key("market")
    assert desk.get("/v1/now/quotes").status_code == 200
    keys.path_in(desk.home).write_bytes(b'{"keys": [')
    assert refusal(desk) == (503, "keys")


def test_nothing_that_is_kept_is_the_key(desk: ApiDesk) -> None:
    text = desk.key("market")
    secret = text.split("_", 2)[2]
    kept = [path for path in desk.home.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if secret in path.read_text("utf-8", "replace")]
    assert keys.path_in(desk.home).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "scopes", "days", "per_minute"),
    [
        ("", ["market"], 1, 1), ("a\nb", ["market"], 1, 1), ("a", [], 1, 1), ("a", ["all"], 1, 1),
        ("a", ["market"], 0, 1), ("a", ["market"], 367, 1), ("a", ["market"], float("nan"), 1),
        ("a", ["market"], 1, 0),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be(
    tmp_path: Path, name: str, scopes: list[str], days: float, per_minute: int
) -> None:
    with pytest.raises(SettingsError):
        keys.new_key(tmp_path, name, "ann", scopes, days, per_minute, 1)


def test_a_secret_may_hold_underscores(tmp_path: Path) -> None:
    for _ in range(50):
        key, text = keys.new_key(tmp_path, "k", "ann", ["market"], 1, 1, 1)
        keys.save(tmp_path, {key.key_id: key})
        assert KeyRing(tmp_path).key(text) == key
