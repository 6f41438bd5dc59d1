"""A headless Chromium of the system, driven over its DevTools protocol: no driver, no download.

It resolves no name but loopback's, so a page that asked for anything elsewhere would be seen to.
"""

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

#: Set by `.ci/run`: then absence fails instead of skipping.
REQUIRED = "REQUIRE_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: (width, height, phone)
DESKTOP, PHONE = (1440, 1100, False), (390, 844, True)

_FLAGS = (
    *("--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions"),
    *("--no-default-browser-check", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio"),
    *("--password-store=basic", "--use-mock-keychain", "--force-color-profile=srgb"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, "")}


class NoChromiumError(Exception):
    """None is installed."""


class Chromium:
    """A browser process with a profile of its own. A context manager.

    Raises:
        NoChromiumError: none is on PATH.
    """

    def __init__(self, folder: Path) -> None:
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            text = "no Chromium here: scripts/system-packages installs Debian's (as root)"
            raise NoChromiumError(text)
        # As root, as in containers, Chromium runs only without its sandbox.
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        more = ["--no-sandbox"] if root else []
        self._line = [program, *_FLAGS, *more, f"--user-data-dir={folder}", "about:blank"]
        self._port_file = folder / "DevToolsActivePort"
        self._log = folder.parent / f"{folder.name}.log"

    def __enter__(self) -> "Chromium":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._line, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not (self._port_file.exists() and "\n" in self._port_file.read_text()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end()
                raise RuntimeError(f"Chromium did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)
        self._base = f"http://127.0.0.1:{self._port_file.read_text().splitlines()[0]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @contextlib.contextmanager
    def tab(self, size: tuple[int, int, bool] = DESKTOP, scheme: str = "light") -> "Iterator[Tab]":
        """A new tab of a size, in light or dark; closed at the end."""
        request = urllib.request.Request(f"{self._base}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=20) as answer:
            target = json.load(answer)
        with connect(target["webSocketDebuggerUrl"], max_size=None, ping_interval=None) as socket:
            tab = Tab(socket)
            tab.prepare(size, scheme)
            yield tab
        urllib.request.urlopen(f"{self._base}/json/close/{target['id']}", timeout=20).close()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Tab:
    """One page. `requested`: every address it fetched; `problems`: errors on its console."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.requested: list[str] = []
        self.problems: list[str] = []

    def prepare(self, size: tuple[int, int, bool], scheme: str) -> None:
        """Size, colour scheme, and what is listened to."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        width, height, phone = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone,
        )  # fmt: skip
        self.scheme(scheme)

    def scheme(self, name: str) -> None:
        """What the system prefers: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command; its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return dict(message["result"])
            self._heard(message)

    def _heard(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message["method"]:
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Network.webSocketCreated":
                self.requested.append(params["url"])
            case "Runtime.exceptionThrown":
                self.problems.append(str(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.problems.append(params["entry"]["text"])

    def open(self, url: str) -> None:
        """Go there and wait until it is loaded."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        done = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(f"{script}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def until(self, script: str, timeout_s: float = 30.0) -> None:
        """Wait until an expression holds."""
        deadline = time.monotonic() + timeout_s
        while not self.run(f"Boolean({script})"):
            if time.monotonic() > deadline:
                raise AssertionError(f"never held: {script}\n{self.text()[:3000]}")
            time.sleep(0.05)

    def text(self, selector: str = "body") -> str:
        """What a person reads there."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def press(self, key: str) -> None:
        """A key down and up, as a person's."""
        code, text = _KEYS.get(key, (ord(key.upper()[0]), key))
        same = {"key": key, "windowsVirtualKeyCode": code, "text": text}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **same)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        """Into what has the focus."""
        self.call("Input.insertText", text=text)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A PNG of the page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
