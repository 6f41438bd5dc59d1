"""Macros mean what the ClickHouse plugin's documentation says."""

import pytest

from dashboards.grafana.macros import ALL, BoardSpan, expand

SPAN = BoardSpan(1_000.5, 2_000.9, 30)


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("$__fromTime", "toDateTime(1000)"),
        ("$__toTime", "toDateTime(2000)"),
        ("$__fromTime_ms", "fromUnixTimestamp64Milli(1000500)"),
        ("$__timeFilter(t)", "t >= toDateTime(1000) AND t <= toDateTime(2000)"),
        (
            "$__timeFilter_ms(t)",
            "t >= fromUnixTimestamp64Milli(1000500) AND t <= fromUnixTimestamp64Milli(2000900)",
        ),
        ("$__timeInterval(t)", "toStartOfInterval(toDateTime(t), INTERVAL 30 second)"),
        ("n / $__interval_s", "n / 30"),
        ("x = '${mode}' and y = $mode", "x = 'live' and y = live"),
        ("a IN (${account:singlequote})", "a IN ('one','t\\'wo')"),
        ("$__conditionalAll(a IN (${account:singlequote}), $account)", "a IN ('one','t\\'wo')"),
        ("$__conditionalAll(m IN (f(${model}, 1)), $model)", "1=1"),
    ],
)
def test_expansion(sql: str, expanded: str) -> None:
    variables = {"mode": "live", "account": ["one", "t'wo"], "model": ALL}
    assert expand(sql, SPAN, variables) == expanded


@pytest.mark.parametrize("sql", ["$__nonsense(t)", "${unset}", "$__timeFilter(t"])
def test_what_grafana_would_not_understand_is_an_error(sql: str) -> None:
    with pytest.raises(ValueError, match=r"macro|variable"):
        expand(sql, SPAN, {})
