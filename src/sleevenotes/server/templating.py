"""How the pages are drawn: the template engine, its filters, and what every page is given."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from litestar import Request
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from sleevenotes.server import auth, covers, home, origins, views
from sleevenotes.store.accounts import Account

HERE = Path(__file__).parent
STATIC = HERE / "static"
THEMES = ("light", "dark")  # "" follows the system
THEME_COOKIE = "sleevenotes_theme"

PAGES = (
    ("/", "Plays"),
    ("/history", "History"),
    ("/albums", "Albums"),
    ("/charts", "Charts"),
    ("/review", "Review"),
    ("/imports", "Imports"),
    ("/status", "Lanes"),
    ("/settings", "Settings"),
)
"""What the navigation leads to; an address of which this server has no page is left out."""

Asking = Request[Any, Any, Any]


def config(root: str = "") -> TemplateConfig[JinjaTemplateEngine]:
    """Return the template configuration of an application under this sub-path ("" for none)."""
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment(root)))


@functools.cache
def environment(root: str = "") -> jinja2.Environment:
    """Build the environment: everything is escaped, an unknown name is an error, addresses get the sub-path."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[home.Outward],
    )
    words = (views.number, views.plural, views.playing_time, views.span, views.file_size, views.source_name)
    said = (views.status_text, views.status_hint, views.asked, views.said, views.likeness, views.sentence)
    drawn = (covers.placeholder, covers.wash, covers.tint)
    by = (home.outward, origins.origin, origins.recorder)
    made.filters |= {function.__name__: function for function in (*words, *said, *drawn, *by)}
    made.globals |= {"asset": asset, "home": root}
    return made


@functools.cache
def asset(name: str) -> str:
    """Return a static file's address; it changes with the content, so browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def page(request: Asking, name: str, account: Account | None, *, status_code: int = 200, **context: object) -> Template:
    """Draw a whole page for this account (None: a stranger)."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return Template(
        name,
        context={
            "account": account,
            "csrf_token": auth.csrf_token(request),
            "csrf_field": auth.CSRF_FIELD,
            "theme": theme if theme in THEMES else "",
            "path": request.url.path,
            "places": places(request),
            "cursor": "",
            **context,
        },
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
        media_type="text/html",
    )


def places(request: Asking) -> list[tuple[str, str, bool]]:
    """Return the navigation: address, name, and whether the page asked for is there or below."""
    state = request.app.state
    if "places" not in state:
        there = {route.path for route in request.app.routes}
        state["places"] = [place for place in PAGES if place[0] in there]
    path = request.url.path
    return [(way, name, path == way or (way != "/" and path.startswith(f"{way}/"))) for way, name in state["places"]]


def problem(request: Asking, account: Account | None, title: str, said: str, back: str) -> str:
    """Draw the page of a request that failed, with a link `back` to a page; it asks for nothing that may be broken."""
    drawn = page(request, "problem.html", account, title=title, said=said, back=back)
    return environment(home.root()).get_template("problem.html").render(drawn.context)


def fragment(name: str, **context: object) -> Template:
    """Draw a part of a page, for its script to put in place."""
    return Template(name, context=context, headers={"Cache-Control": "no-store"}, media_type="text/html")
