"""Grafana's variables and the ClickHouse plugin's macros, expanded as they do it.

Where there is no Grafana at hand, tests and benchmarks run each panel's SQL through this. The
meaning is that of the plugin's documentation ("Macros") and Grafana's ("Variable syntax").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

ALL = "$__all"
_MACRO = re.compile(r"\$__(\w+)(\()?")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")


class BoardSpan(NamedTuple):
    """The time picker, Unix seconds, and the panel's interval in seconds."""

    start_s: float
    end_s: float
    interval_s: float = 60.0


def expand(sql: str, span: BoardSpan, variables: Mapping[str, str | Sequence[str]]) -> str:
    """The statement the plugin would send.

    Args:
        variables: values by name; several for a multi-value variable, ALL for its "All".

    Raises:
        ValueError: a macro that the plugin does not have, or an unset variable.
    """
    return _each_macro(fill(sql, variables), lambda name, args: _macro(name, args, span))


def fill(sql: str, variables: Mapping[str, str | Sequence[str]]) -> str:
    """What the page does of it: conditions and variables; the plugin's macros are left.

    Raises:
        ValueError: an unset variable.
    """
    # The plugin's front end decides conditions before Grafana fills in variables.
    text = _each_macro(sql, lambda name, args: _condition(name, args, variables))
    return _VARIABLE.sub(lambda match: _value(match, variables), text)


def _each_macro(sql: str, replace: Callable[[str, list[str]], str | None]) -> str:
    parts, at = [], 0
    for match in _MACRO.finditer(sql):
        if match.start() < at:
            continue  # inside the arguments of the one before
        end, args = match.end(), list[str]()
        if match[2]:
            end, args = _arguments(sql, match.end())
        replaced = replace(match[1], args)
        if replaced is not None:
            parts += [sql[at : match.start()], replaced]
            at = end
    return "".join([*parts, sql[at:]])


def _arguments(sql: str, start: int) -> tuple[int, list[str]]:
    depth, args, begin = 1, list[str](), start
    for at in range(start, len(sql)):
        if sql[at] == "(":
            depth += 1
        elif sql[at] == ")":
            depth -= 1
        if depth == 0 or (depth == 1 and sql[at] == ","):
            args.append(sql[begin:at].strip())
            begin = at + 1
        if depth == 0:
            return at + 1, args
    raise ValueError(f"unclosed macro in: {sql[start - 30 : start + 30]}")


def _condition(
    name: str, args: list[str], variables: Mapping[str, str | Sequence[str]]
) -> str | None:
    if name != "conditionalAll":
        return None
    condition, variable = args
    chosen = variables[variable.lstrip("$").strip("{}").partition(":")[0]]
    return "1=1" if chosen == ALL or ALL in chosen else condition


def _value(match: "re.Match[str]", variables: Mapping[str, str | Sequence[str]]) -> str:
    name = match[1] or match[3]
    if name.startswith("__"):
        return match[0]
    if name not in variables:
        raise ValueError(f"no value for variable {name!r}")
    chosen = variables[name]
    values = [chosen] if isinstance(chosen, str) else list(chosen)
    if match[2] == "singlequote":
        return ",".join("'" + value.replace("'", "\\'") + "'" for value in values)
    return ",".join(values)


def _macro(name: str, args: list[str], span: BoardSpan) -> str:
    start, end = int(span.start_s), int(span.end_s)
    start_ms, end_ms = int(span.start_s * 1000), int(span.end_s * 1000)
    interval = max(int(span.interval_s), 1)
    column = args[0] if args else ""
    expanded = {
        "fromTime": f"toDateTime({start})",
        "toTime": f"toDateTime({end})",
        "fromTime_ms": f"fromUnixTimestamp64Milli({start_ms})",
        "toTime_ms": f"fromUnixTimestamp64Milli({end_ms})",
        "timeFilter": f"{column} >= toDateTime({start}) AND {column} <= toDateTime({end})",
        "timeFilter_ms": (
            f"{column} >= fromUnixTimestamp64Milli({start_ms})"
            f" AND {column} <= fromUnixTimestamp64Milli({end_ms})"
        ),
        "timeInterval": f"toStartOfInterval(toDateTime({column}), INTERVAL {interval} second)",
        "interval_s": str(interval),
    }
    if name not in expanded:
        raise ValueError(f"the ClickHouse plugin has no macro $__{name} that we use")
    return expanded[name]
