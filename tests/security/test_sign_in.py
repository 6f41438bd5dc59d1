"""Wrong passwords cost those who send them: nobody else waits, and guessing gets slower."""

import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import identity
from tests.support.warehouse_server import Warehouse

pytestmark = pytest.mark.process
PASSWORD = "correct horse"
FULL_HASHES = True  # a wrong password costs time: that is what this is about


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("sign-in")
    users = {name: identity.new_user(name, "analyst", PASSWORD) for name in ("ann", "bob")}
    identity.save(identity.path_in(home), users)
    warehouse = Warehouse(home)
    warehouse.start()
    yield warehouse
    warehouse.stop()


def ask(server: Warehouse, name: str, password: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {"X-ClickHouse-User": name, "X-ClickHouse-Key": password}
    connection.request("POST", "/", b"SELECT 1", headers)
    response = connection.getresponse()
    answer = response.read().decode()
    connection.close()
    return response.status, answer


def guesses(server: Warehouse, name: str, count: int) -> list[str]:
    return [ask(server, name, f"guess {number}")[1] for number in range(count)]


def test_guesses_are_slowed_and_a_known_client_is_not(server: Warehouse) -> None:
    assert ask(server, "ann", PASSWORD) == (200, "1\n")
    answers = guesses(server, "ann", 20)
    assert all(answer.startswith("Code: 516") for answer in answers)
    assert "wait" in answers[-1]
    assert ask(server, "ann", PASSWORD) == (200, "1\n")  # who is known is known
    assert ask(server, "bob", PASSWORD) == (200, "1\n")  # another name does not wait


def test_one_wrong_password_said_often_is_one_guess(server: Warehouse) -> None:
    """A client that was left with an old password locks nobody out."""
    with ThreadPoolExecutor(40) as many:
        answers = list(many.map(lambda _: ask(server, "ann", "old"), range(200)))
    assert {status for status, _ in answers} == {403}
    assert ask(server, "ann", PASSWORD) == (200, "1\n")


def test_many_right_clients_at_once_are_no_guesses(server: Warehouse) -> None:
    with ThreadPoolExecutor(40) as many:
        answers = list(many.map(lambda _: ask(server, "ann", PASSWORD), range(80)))
    assert set(answers) == {(200, "1\n")}


@pytest.mark.heavy(suite="security")
def test_forty_wrong_clients_do_not_keep_a_right_one_away(server: Warehouse) -> None:
    ended = threading.Event()
    attempts = [0] * 40

    def guess(client: int) -> None:
        while not ended.is_set() and attempts[client] < 200:
            ask(server, f"nobody {client}", f"guess {attempts[client]}")
            attempts[client] += 1

    threads = [threading.Thread(target=guess, args=(client,)) for client in range(40)]
    for thread in threads:
        thread.start()
    try:
        assert ask(server, "ann", PASSWORD) == (200, "1\n")  # not known yet
        for _ in range(20):
            assert ask(server, "ann", PASSWORD) == (200, "1\n")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert sum(attempts) > 0
