"""The document as a page to read: drawn here and sent whole, without a script and without a net."""

from html import escape
from typing import Any

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tickhouse API</title>
<meta name="viewport" content="width=device-width"><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
color:#1d2321;background:#fbfaf7}}h1{{margin-bottom:0}}h2{{margin:2rem 0 .3rem;font-size:1.1rem}}
code{{background:#ecebe5;padding:.1em .3em;border-radius:3px;overflow-wrap:anywhere}}
section{{border-top:1px solid #d8d6cd;padding:.7rem 0}}h3{{margin:0;font-size:1rem}}
h3 b{{color:#2f6f8f;display:inline-block;min-width:3.2rem}}p{{margin:.2rem 0}}small{{color:#5c625f}}
table{{border-collapse:collapse;margin:.4rem 0;width:100%}}td{{padding:.15rem .6rem .15rem 0;
vertical-align:top;border-bottom:1px solid #ecebe5}}td:first-child{{white-space:nowrap}}
@media(prefers-color-scheme:dark){{body{{color:#dfe3e0;background:#161b19}}code{{background:#262d2a}}
section{{border-color:#333b37}}td{{border-color:#262d2a}}h3 b{{color:#6fb1d1}}small{{color:#9aa29e}}
a{{color:#6fb1d1}}}}</style><body><h1>Tickhouse API</h1><p><small>version {version};
<a href="/v1/openapi.json">OpenAPI {openapi}</a></small></p><p>{about}</p>
<h2>Scopes</h2><table>{scopes}</table><h2>Addresses</h2>{operations}<h2>Records</h2>{records}
</body></html>"""


def html(document: dict[str, Any]) -> str:
    """The page of a document."""
    info = document["info"]
    scopes = "".join(_row(name, text) for name, text in info["x-scopes"].items())
    operations = "".join(
        _operation(path, method, operation)
        for path, methods in sorted(document["paths"].items())
        for method, operation in methods.items()
    )
    schemas = document["components"]["schemas"]
    records = "".join(_record(name, schema) for name, schema in sorted(schemas.items()))
    return _PAGE.format(
        version=escape(info["version"]), openapi=document["openapi"],
        about=escape(info["description"]), scopes=scopes, operations=operations, records=records,
    )  # fmt: skip


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        _row(
            f"{one['name']}{' (must)' if one.get('required') else ''}",
            f"{one.get('description', '')} {_kind(one['schema'])}".strip(),
        )
        for one in operation.get("parameters", ())
    )
    return (
        f'<section id="{escape(operation["operationId"])}"><h3><b>{method.upper()}</b>'
        f"<code>{escape(path)}</code></h3><p>{escape(operation['summary'])}."
        f" <small>scope {escape(operation.get('x-scope', 'none'))};"
        f" gives {_gives(operation)}{_takes(operation)}</small></p>"
        f"<table>{parameters}</table></section>"
    )


def _gives(operation: dict[str, Any]) -> str:
    content = operation["responses"]["200"]["content"]
    return ", ".join(_named(kind, one.get("schema", {})) for kind, one in content.items())


def _takes(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(f"; takes {_named(kind, one['schema'])}" for kind, one in content.items())


def _named(kind: str, schema: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return f'<a href="#{escape(name)}">{escape(name)}</a>' if name else escape(kind)


def _record(name: str, schema: dict[str, Any]) -> str:
    fields = "".join(_row(f, _kind(s)) for f, s in schema.get("properties", {}).items())
    says = escape(schema.get("description", ""))
    return (
        f'<section id="{escape(name)}"><h3><code>{escape(name)}</code></h3>'
        f"<p>{says}</p><table>{fields}</table></section>"
    )


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _row(name: str, text: str) -> str:
    return f"<tr><td><code>{escape(name)}</code><td>{escape(text)}</tr>"
