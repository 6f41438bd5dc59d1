"""In which line of a TOML file something stands: `tomllib` gives values and forgets where."""

import re


def line_of(text: str, table: str, key: str) -> int | None:
    """Line of a key in a table (dotted; "" is the top), or of the top's table; None: nowhere."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        if header:
            current = re.sub(r"[\"'\s]", "", header[1])
            if not table and current.split(".")[0] == key:
                return number
            if table and current == f"{table}.{key}":
                return number
        elif current == table and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return None
