"""The heart on plays: a track is loved, or no longer, from the feed and from a play's page."""

from __future__ import annotations

import msgspec
from litestar import post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from sleevenotes.server import feedbacks, pages_account
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking


class Given(msgspec.Struct):
    """The heart's form: 1 loved, 0 no longer; `back` is the page it is on."""

    score: str = ""
    back: str = "/"


@post("/scrobbles/{scrobble_id:int}/feedback", status_code=303)
async def give(request: Asking, account: SignedIn, scrobble_id: FromPath[int], data: URLEncodedBody[Given]) -> Redirect:
    """Remember what the listener thinks of a play's track.

    Raises errors.Refused naming the field when the score is none.
    """
    score = int(data.score) if data.score in ("0", "1", "-1") else None
    if not await feedbacks.give(request, account, scrobble_id, score):
        raise NotFoundException
    return Redirect(pages_account.local(data.back), status_code=303)


handlers = [give]
