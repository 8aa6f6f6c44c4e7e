"""The native API described: its OpenAPI document, and the same as a page to read that loads nothing from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server

from sleevenotes.server import home

_METHODS = ("get", "post", "put", "patch", "delete")


class ReadablePage(OpenAPIRenderPlugin):
    """Renders the document as plain HTML of our own; Litestar's renderers load scripts from other hosts."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page."""
        document = msgspec.json.decode(self.render_json(request, openapi_schema))
        return "".join(_page(document)).encode()


def config(base_url: str = "") -> OpenAPIConfig:
    """Return the OpenAPI configuration of a server at this address ("" where it has none): /api/openapi.json, /docs."""
    return OpenAPIConfig(
        title="Sleevenotes API",
        version="1",
        description=(
            'Submit scrobbles and read what became of them. Send your token as "Authorization: Bearer …". '
            'Errors are {"error": {"code", "message", "details"}}. '
            "X-RateLimit-Limit, -Remaining, -Reset and -Reset-In on every answer say how many requests are left."
        ),
        path="/api",
        servers=[Server(url=base_url.rstrip("/") or "/")],
        render_plugins=[JsonRenderPlugin(), ReadablePage(path="/docs")],
        use_handler_docstrings=True,
        components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"token": []}],
    )


def _page(document: dict[str, Any]) -> Iterator[str]:
    title = html.escape(document["info"]["title"])
    yield (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<link rel="stylesheet" href="{home.outward("/static/sleevenotes.css")}">'
        f"<main><h1>{title}</h1><p>{html.escape(document['info']['description'])}</p>"
        f'<p>The same for programs: <a href="{home.outward("/api/openapi.json")}">openapi.json</a>. '
        f'<a href="{home.outward("/")}">Back to your plays</a></p>'
    )
    schemas = document.get("components", {}).get("schemas", {})
    for path, operations in sorted(document["paths"].items()):
        for method in _METHODS:
            if method in operations:
                yield from _operation(path, method, operations[method])
    yield "<h2>Shapes</h2>"
    for name, schema in sorted(schemas.items()):
        heading = f'<section id="{html.escape(name)}"><h3>{html.escape(name)}</h3>'
        yield f"{heading}{_described(schema)}{_fields(schema)}</section>"
    yield "</main></html>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<section><h2><code>{method.upper()} {html.escape(path)}</code></h2>{_described(operation)}"
    if operation.get("parameters"):
        rows = ((p["name"], p.get("schema", {}), p.get("required", False)) for p in operation["parameters"])
        yield f"<h3>Parameters</h3>{_table(rows)}"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield f"<h3>Body</h3><p>{_type(content['schema'])}</p>{_fields(content['schema'])}"
    yield "<h3>Answers</h3><ul>"
    for status, answer in sorted(operation.get("responses", {}).items()):
        shapes = (_type(content.get("schema", {})) for content in answer.get("content", {}).values())
        yield f"<li><code>{status}</code> {html.escape(answer.get('description', ''))} {' '.join(shapes)}</li>"
    yield "</ul></section>"


def _described(thing: dict[str, Any]) -> str:
    return f"<p>{html.escape(thing['description'])}</p>" if thing.get("description") else ""


def _fields(schema: dict[str, Any]) -> str:
    """Tabulate an object's fields; an array of objects inside it gets its own table, below."""
    properties = schema.get("properties", {})
    if not properties:
        return ""
    required = schema.get("required", ())
    inner = "".join(_fields(each.get("items", {})) for each in properties.values())
    return _table((name, each, name in required) for name, each in properties.items()) + inner


def _table(rows: Iterator[tuple[str, dict[str, Any], bool]] | Any) -> str:
    body = "".join(
        f"<tr><td><code>{html.escape(name)}</code></td><td>{_type(schema)}{'' if needed else ', optional'}</td>"
        f"<td>{html.escape(schema.get('description', ''))} {_limits(schema)}</td></tr>"
        for name, schema, needed in rows
    )
    return f"<table><thead><tr><th>Name</th><th>Type</th><th>Notes</th></tr></thead><tbody>{body}</tbody></table>"


def _limits(schema: dict[str, Any]) -> str:
    words = {
        "maxLength": "at most {} characters",
        "minimum": "from {}",
        "maximum": "to {}",
        "maxItems": "at most {} items",
        "default": "{} if not given",
    }
    return html.escape(
        ", ".join(text.format(schema[key]) for key, text in words.items() if schema.get(key) is not None)
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if schema.get("oneOf"):
        return " or ".join(map(_type, schema["oneOf"]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return html.escape(" or ".join(kind) if isinstance(kind, list) else str(kind))
