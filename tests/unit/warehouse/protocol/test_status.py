"""HTTP status by ClickHouse's error code."""

import pytest

from warehouse.protocol.status import http_status


@pytest.mark.parametrize(
    ("code", "status"),
    [(62, 400), (60, 404), (115, 404), (159, 408), (48, 501), (202, 503), (516, 403), (395, 500)],
)
def test_a_code_has_the_status_clickhouse_gives(code: int, status: int) -> None:
    assert http_status(code) == status
