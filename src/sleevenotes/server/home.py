"""Where this server is at home: its address, and the sub-path under which a reverse proxy shows it.

Inside, every address begins at "/": routes, handlers and templates know of no sub-path. It is taken off what comes in
(`Application`), and put before what goes out: by the template engine (`outward_source`) before the addresses in
templates, and by the application before redirects. Scripts read it from `<html data-home>`. A proxy may pass the
sub-path on or strip it: both work.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from sleevenotes.server import services

_ROOT: ContextVar[str] = ContextVar("root", default="")  # of the application that answers the present request


class Application(Litestar):
    """The web application, under the sub-path of `base_url`."""

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Take the sub-path off the request's path, and answer."""
        if scope["type"] != "lifespan":
            root: str = self.state.services.settings.root
            _ROOT.set(root)
            _take_off(scope, root)  # type: ignore[arg-type] # a lifespan's scope is excluded above
        await super().__call__(scope, receive, send)


def _take_off(scope: dict[str, Any], root: str) -> None:
    path: str = scope["path"]
    if root and (path == root or path.startswith(f"{root}/")):
        scope["path"] = path[len(root) :] or "/"
        raw = scope.get("raw_path") or b""
        scope["raw_path"] = raw[len(root) :] or b"/"
    scope["root_path"] = ""  # a server may have been told it, too; inside there is none


def root() -> str:
    """Return the sub-path of the application that answers the present request: "/music", or "" where there is none."""
    return _ROOT.get()


def outward(way: str) -> str:
    """Return an address as browsers and clients outside reach it; one that is not from "/" stays as it is."""
    return root() + way if _is_ours(way) else way


def inward(way: str) -> str:
    """Return an address that `outward` has given, as it is inside; any other stays as it is."""
    return way.removeprefix(root()) if way.startswith(f"{root()}/") else way


def address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the address of this server without a slash at the end: `base_url`, else the one this client used."""
    told = services.of(connection).settings.base_url.rstrip("/")
    return told or str(connection.base_url).rstrip("/")


def is_secure(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Tell whether browsers reach us by https only, so that cookies must not travel otherwise."""
    return address(connection).startswith("https:")


def _is_ours(way: str) -> bool:
    return way.startswith("/") and not way.startswith("//")


# ---------------------------------------------------------------- templates

# href="/albums/…", src="{{ asset('page.js') }}"; images stand in lists of several (srcset), too.
_WRITTEN = re.compile(r'\b(href|src|action|formaction)="(?=/(?!/|images/))')
_COMPUTED = re.compile(r'\b(href|src|action|formaction)="\{\{-?\s*(.+?)\s*-?\}\}')
_IMAGES = re.compile(r"""(?<=["' ])/images/""")


class Outward(Extension):
    """Puts the sub-path before every address of ours in a template, when it is compiled."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - its shape
        """Return the template with addresses as they are outside."""
        return outward_source(source, self.environment)


def outward_source(source: str, environment: Environment) -> str:
    """Put the sub-path of this environment (its global `home`) before the addresses in a template's text."""
    home = str(environment.globals["home"])
    if not home:
        return source
    source = _WRITTEN.sub(rf'\1="{home}', source)
    source = _COMPUTED.sub(r'\1="{{ (\2)|outward }}', source)
    return _IMAGES.sub(f"{home}/images/", source)
