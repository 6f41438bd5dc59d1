"""A server of S3's API on loopback, with one bucket."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.sections import BackupSettings


@contextmanager
def s3_server() -> Iterator[BackupSettings]:
    """Settings of a destination there."""
    from moto.server import ThreadedMotoServer  # takes a second to load

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        settings = BackupSettings(
            destination="s3://desk/tickhouse", s3_endpoint=f"http://127.0.0.1:{port}",
            s3_access_key="access-of-test", s3_secret_key="secret-of-test",
        )  # fmt: skip
        client_of(settings).create_bucket(Bucket="desk")
        yield settings
    finally:
        server.stop()


def client_of(settings: BackupSettings):
    """Amazon's own client of it."""
    boto3 = pytest.importorskip("boto3")
    return boto3.client(
        "s3", endpoint_url=settings.s3_endpoint, region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key, aws_secret_access_key=settings.s3_secret_key,
    )  # fmt: skip
