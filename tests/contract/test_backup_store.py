"""Every place for backups keeps the same promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.offsite import select
from adapters.offsite.store import ENDING, Store
from core.errors import InputError, SettingsError, UnavailableError
from core.sections import BackupSettings
from tests.support.s3_server import client_of, s3_server
from tests.support.servers import free_port
from tests.support.small_disk import fill, small_disk

__all__ = ["small_disk"]
MIB = 1 << 20
A, B = f"2026a{ENDING}", f"2026b{ENDING}"


@pytest.fixture(scope="module")
def s3() -> Iterator[BackupSettings]:
    with s3_server() as settings:
        yield settings


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        (tmp_path / "there").mkdir()
        settings = BackupSettings(destination=str(tmp_path / "there"))
    else:
        served = request.getfixturevalue("s3")
        settings = replace(served, destination=f"s3://desk/{tmp_path.name}")
    return select.select(settings, tmp_path / "home")


def blocks(count: int, then: Exception | None = None) -> Iterator[bytes]:
    for number in range(count):
        yield number.to_bytes(1) * MIB
    if then:
        raise then


def test_a_backup_comes_back_as_it_was(place: Store) -> None:
    assert place.listed() == []
    assert place.put(B, blocks(40)) == 40 * MIB  # of S3 in more than one part
    assert place.put(A, [b"small"]) == 5
    assert place.listed() == [(A, 5), (B, 40 * MIB)]
    assert b"".join(place.get(B)) == b"".join(blocks(40))
    place.remove(B)
    place.remove(B)
    assert [one.name for one in place.listed()] == [A]


@pytest.mark.parametrize("blocks_before", [0, 1, 70])
def test_what_fails_on_the_way_is_never_shown(place: Store, blocks_before: int) -> None:
    place.put(A, [b"good"])
    with pytest.raises(InputError, match="broken"):
        place.put(B, blocks(blocks_before, InputError("x", "broken")))
    assert place.listed() == [(A, 4)]
    assert b"".join(place.get(A)) == b"good"


def test_a_backup_that_is_not_there_is_said_to_be_so(place: Store) -> None:
    with pytest.raises(InputError, match=A):
        list(place.get(A))


def test_an_unfinished_upload_of_who_was_killed_is_cleared_from_a_folder(tmp_path: Path) -> None:
    place = select.select(BackupSettings(destination=str(tmp_path)), tmp_path / "home")
    left = tmp_path / f".{A}.unfinished"
    left.write_bytes(b"half")
    assert place.listed() == []
    place.put(B, [b"whole"])
    assert not left.exists()


def test_a_failed_upload_leaves_no_parts_at_the_server(s3: BackupSettings) -> None:
    place = select.select(s3, Path("/nowhere"))
    with pytest.raises(InputError):
        place.put(A, blocks(70, InputError("x", "broken")))
    assert client_of(s3).list_multipart_uploads(Bucket="desk").get("Uploads", []) == []


def test_a_full_disk_takes_no_half_of_one(small_disk: Path, tmp_path: Path) -> None:
    place = select.select(BackupSettings(destination=str(small_disk)), tmp_path / "home")
    place.put(A, [b"good"])
    fill(small_disk, 8)
    with pytest.raises(UnavailableError, match="No space left"):
        place.put(B, blocks(20))
    assert [path.name for path in small_disk.iterdir()] == [A, "filler"] or {
        path.name for path in small_disk.iterdir()
    } == {A, "filler"}


@pytest.mark.parametrize(
    "settings",
    [
        BackupSettings(destination="/nowhere/at/all"),
        BackupSettings(destination="s3://desk", s3_endpoint="http://127.0.0.1:{port}",
                       s3_access_key="a-key", s3_secret_key="hush-hush"),
    ],
)  # fmt: skip
def test_a_place_that_is_away_is_said_to_be_so(settings: BackupSettings) -> None:
    endpoint = settings.s3_endpoint.replace("{port}", str(free_port()))
    place = select.select(replace(settings, s3_endpoint=endpoint), Path("/home-of-test"))
    for ask in (place.listed, lambda: place.put(A, [b"x"]), lambda: list(place.get(A))):
        with pytest.raises(UnavailableError) as away:
            ask()
        assert settings.destination in str(away.value)
        assert "hush" not in str(away.value)


def test_a_bucket_that_is_not_there_is_said_to_be_so(s3: BackupSettings) -> None:
    place = select.select(replace(s3, destination="s3://other/x"), Path("/nowhere"))
    with pytest.raises(InputError, match=r"NoSuchBucket|not found"):
        place.put(A, [b"x"])


@pytest.mark.parametrize("destination", ["", "HOME", "HOME/backups", "s3://"])
def test_no_place_and_the_home_itself_are_refused(tmp_path: Path, destination: str) -> None:
    settings = BackupSettings(destination=destination.replace("HOME", str(tmp_path)))
    with pytest.raises(SettingsError, match=r"backup\.destination"):
        select.select(settings, tmp_path)
