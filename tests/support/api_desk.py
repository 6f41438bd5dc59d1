"""The API of a home in this process: its application, keys with scopes, and what is now."""

import time
from pathlib import Path
from typing import Any

import msgspec
from starlette.testclient import TestClient

from api import keys
from api.application import application
from api.cache import Cache
from api.callers import Callers
from api.control import Control
from api.history import History
from api.keys import KeyRing
from api.more import More
from api.now import NowLists
from api.persons import Persons
from api.rate import Rate
from api.scopes import SCOPES
from api.stream import Streams
from api.warehouse import ApiWarehouse
from core.clock import Clock, SystemClock
from core.sections import ClickhouseSettings, ControlSettings, OidcSettings
from core.settings import Settings
from dashboards.live.items import Items

#: Where nothing listens.
NOWHERE = ClickhouseSettings(url="http://127.0.0.1:9")
_MANY = 1_000_000
_UNSIGNED, _NO_PROVIDER = ControlSettings(), OidcSettings()


class ApiDesk:
    """One home's API. `get` and `post` send the key that `key` made last, unless told otherwise."""

    def __init__(
        self, home: Path, where: ClickhouseSettings = NOWHERE, clock: Clock | None = None,
        controls: ControlSettings = _UNSIGNED, oidc: OidcSettings = _NO_PROVIDER,
    ) -> None:  # fmt: skip
        self.home, self.items, self.clock = home, Items(), clock or SystemClock()
        settings = Settings(home=str(home), clickhouse=where, controls=controls, oidc=oidc)
        self._warehouse = warehouse = ApiWarehouse(where)
        self._later_s = 0.0
        self.cache = Cache(2**20)
        self.door = application(
            Callers(
                home, KeyRing(home), Rate(time.monotonic), self.clock,
                persons=Persons(settings, self.clock),
            ),
            NowLists(self.items),
            History(warehouse, self.cache, settings.run, self._seconds),
            More(settings, warehouse, self.clock), Control(settings, self.clock),
            Streams(self.items),
        )  # fmt: skip
        self.client = TestClient(
            self.door, base_url="http://127.0.0.1:8060", raise_server_exceptions=False,
            follow_redirects=False,
        )  # fmt: skip
        self.text = ""

    def _seconds(self) -> float:
        return time.monotonic() + self._later_s

    def wait_for_versions(self) -> None:
        """Let pass for how long the version of data that was asked for is believed."""
        self._later_s += 60

    def close(self) -> None:
        """End its threads."""
        self.client.close()
        self._warehouse.close()

    def key(self, *scopes: str, user: str = "ann", days: float = 1, per_minute: int = _MANY) -> str:
        """A new key with these scopes, all of them when none is named."""
        key, self.text = keys.new_key(
            self.home, "a test", user, scopes or SCOPES, days, per_minute, self.clock.now_us()
        )
        keys.save(self.home, {**keys.load(self.home), key.key_id: key})
        return self.text

    def revoke(self, text: str) -> None:
        """Shut a key out."""
        known = keys.load(self.home)
        keys.save(self.home, {name: key for name, key in known.items() if name not in text})

    def get(self, path: str, text: str | None = None, **headers: str) -> Any:
        """The answer to a GET."""
        return self.client.get(path, headers=self.headers(text) | _dashed(headers))

    def post(self, path: str, body: Any, text: str | None = None, **headers: str) -> Any:
        """The answer to a POST of JSON."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        kind = {"content-type": "application/json"}
        return self.client.post(
            path, content=content, headers=self.headers(text) | kind | _dashed(headers)
        )

    def headers(self, text: str | None = None) -> dict[str, str]:
        """What shows a key; the one that was made last, unless told otherwise."""
        text = self.text if text is None else text
        return {"authorization": f"Bearer {text}"} if text else {}


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def problem_of(answer: Any) -> str:
    """The kind of a refusal, which must be a problem of RFC 9457."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["title"]
    assert said["detail"]
    return str(said["type"]).removeprefix("/problems/")
