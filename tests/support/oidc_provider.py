"""npm's `oidc-provider` for tests, and a person at a browser who signs in there."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from tests.support.warehouse_server import ROOT

CLIENT, SECRET = "tickhouse", "a secret of the client"


@contextmanager
def provider(folder: Path, redirects: Sequence[str]) -> Iterator[str]:
    """Its issuer; installed into the folder by its lock. Skips where there is no npm."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        missing = "npm is not here: scripts/system-packages installs it"
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail(missing)
        pytest.skip(missing)
    shutil.copytree(ROOT / "tests" / "oidc", folder, dirs_exist_ok=True)
    words = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with (folder / "provider.log").open("wb") as log:
        line = [node, "provider.mjs", *redirects]
        process = subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        issuer = process.stdout.readline().strip()
        assert issuer, (folder / "provider.log").read_text()
        yield issuer
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def walk(browser: httpx.Client, address: str, login: str, until: str) -> str:
    """Follow forms and redirects from an address, as a person does, to one that begins so."""
    answer = browser.get(address)
    for _ in range(20):
        if answer.is_redirect:
            address = urljoin(str(answer.request.url), answer.headers["location"])
            if address.startswith(until):
                return address
            answer = browser.get(address)
            continue
        form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
        assert form, answer.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', answer.text))
        filled = hidden | ({"login": login, "password": "any"} if "password" in answer.text else {})
        answer = browser.post(form[1], data=filled)
    raise AssertionError("the provider never came to an end")


def parameters(address: str) -> dict[str, str]:
    """Those of an address, each once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
