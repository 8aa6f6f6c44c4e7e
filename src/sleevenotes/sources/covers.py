"""What an image host sends: whether it is an image at all, and addresses that stand for no cover.

Bytes are believed by what they are, not by what they are called; error pages come as image/jpeg with status 200.
"""

from __future__ import annotations

import re
from typing import Final

from sleevenotes import errors
from sleevenotes.sources import contract

MOST_BYTES: Final = 20_000_000
_LEAST_BYTES: Final = 200  # no cover is smaller; archive.org's error pages are about 170
_HTML_STARTS: Final = (b"<!doctype", b"<html", b"<title", b"<head")
_PLACEHOLDERS: Final = re.compile(
    r"""2a96cbd8b46e442fc41c2b86b821562f        # Last.fm's star
      | /images/(?:cover|artist|misc)//          # Deezer's silhouette: the hash between the slashes is empty
      | /spacer\.gif                             # Discogs' single pixel
    """,
    re.VERBOSE,
)


def is_placeholder(url: str) -> bool:
    """Tell whether an address is a service's way of saying that it has no cover."""
    return _PLACEHOLDERS.search(url) is not None


def image(source: str, url: str, reply: contract.Reply) -> contract.ImageFile:
    """Read a reply of status 200 as the image that was asked for at `url`.

    Raises errors.Garbled for anything that is not one whole image of a sensible size; `source` is who sent it.
    """
    content_type = _type(reply.body)
    if not content_type:
        what = "a web page" if reply.body.lstrip()[:9].lower().startswith(_HTML_STARTS) else "something else"
        raise errors.Garbled(f"{source} sent {what} in place of an image", body=reply.body)
    if not _LEAST_BYTES <= len(reply.body) <= MOST_BYTES:
        raise errors.Garbled(f"{source} sent an image of {len(reply.body)} bytes", body=reply.body)
    _refuse_truncated(reply)
    return contract.ImageFile(url, content_type, reply.body)


def _type(body: bytes) -> str:
    """Tell an image's type from its first bytes, "" for what is none."""
    if body[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if body[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return ""


def _refuse_truncated(reply: contract.Reply) -> None:
    """Compare with the stated length; a packed body was unpacked on the way, so its length tells nothing."""
    stated = reply.headers.get("content-length", "")
    packed = reply.headers.get("content-encoding", "identity") != "identity"
    if stated.isdigit() and not packed and int(stated) != len(reply.body):
        raise errors.Garbled(f"An image of {stated} bytes came as {len(reply.body)}", body=reply.body)
