"""Ways back: the page a form was sent from, and which addresses are pages at all."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.exceptions import HTTPException

from sleevenotes.server import home

DEEPEST = 10
"""Slashes in an address, at most; no page of ours has as many."""


def came_from(request: Request[Any, Any, Any]) -> str:
    """Return the page of ours from which a request was sent, as far as the browser tells; "" where it does not."""
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if not referer.netloc or referer.netloc not in (request.url.netloc, urlsplit(home.address(request)).netloc):
        return ""
    path = home.inward(referer.path)
    if not _is_page(request, path):
        return ""
    return f"{path}?{referer.query}" if referer.query else path


def nearest(request: Request[Any, Any, Any], path: str) -> str:
    """Return this address if it is a page, else the nearest above it.

    A page may be the answer to a form, at an address that only takes forms: /settings/account/password. That cannot be
    asked for; /settings/account can.
    """
    if path.count("/") > DEEPEST:
        return "/"
    while path and not _is_page(request, path):
        path = path.rpartition("/")[0]
    return path or "/"


def _is_page(request: Request[Any, Any, Any], path: str) -> bool:
    """Tell whether this address can be asked for, rather than only be sent forms; routing itself knows."""
    try:
        request.app.asgi_router.handle_routing(path=path, method="GET")
    except HTTPException:
        return False
    return not path.startswith("//")  # which a browser takes for another host
