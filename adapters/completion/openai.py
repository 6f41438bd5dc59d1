"""One question to an endpoint that speaks OpenAI's chat completions, a local server's too.

Bounded in time and size, by a connection of its own, and no redirect is followed: it could lead
anywhere, with the token.
"""

import time
from http.client import HTTPException
from typing import Any

import msgspec

from adapters.completion.address import connected, place_of
from core.errors import UnavailableError
from core.sections import AskSettings

_LARGEST = 2**18
_PART = 4_096


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


def complete(settings: AskSettings, messages: list[dict[str, str]]) -> str:
    """What the model says to these messages. Blocking.

    Raises:
        SettingsError: the address is one that must not be asked.
        UnavailableError: it does not answer in time, refuses, or answers something else.
    """
    place = place_of(settings.provider)
    body: dict[str, Any] = {"model": settings.model, "messages": messages, "temperature": 0}
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token}"
    until_s = time.monotonic() + settings.timeout_s
    connection = connected(place, settings.timeout_s, private=settings.private)
    try:
        connection.request("POST", place.path, msgspec.json.encode(body), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise UnavailableError(f"{place.host} answers {answer.status} {answer.reason[:60]}")
        content = bytearray()
        while part := answer.read1(_PART):
            content += part
            if len(content) > _LARGEST:
                raise UnavailableError(f"{place.host} answers more than {_LARGEST} bytes")
            if time.monotonic() > until_s:  # a byte at a time is no answer either
                raise UnavailableError(f"{place.host} took longer than {settings.timeout_s:g} s")
        said = msgspec.json.decode(content, type=_Answer)
    except (OSError, HTTPException) as error:
        raise UnavailableError(f"{place.host} does not answer: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnavailableError(f"{place.host} answers no chat completion: {error}") from error
    finally:
        connection.close()
    text = said.choices[0].message.content if said.choices else None
    if not text:
        raise UnavailableError(f"{place.host} says nothing")
    return text
