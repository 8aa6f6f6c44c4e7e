"""The native API's way out: everything an account has, as one file."""

from __future__ import annotations

from litestar import Router, get
from litestar.params import FromQuery
from litestar.response import Stream

from sleevenotes.pipeline import exporting
from sleevenotes.server import auth, services
from sleevenotes.server.native import Asked


@get("/export")
async def export(request: Asked, format: FromQuery[str] = "jsonl") -> Stream:  # noqa: A002 - the parameter's name
    """Send all your plays, streamed: as jsonl (ListenBrainz' form), csv or parquet.

    Each as it was sent, with what it is matched to, whether it is hidden, and whether its track is loved; then your
    corrections, covers and marks. An import of the file into an empty account gives the same state.
    """
    account = await auth.reader(request)
    write = exporting.writer(format)
    parts = services.of(request)
    day = parts.clock.now().date().isoformat()
    return Stream(
        exporting.stream(parts.database, parts.files, account.id, write),
        media_type=exporting.MEDIA[format],
        headers={
            "Content-Disposition": f'attachment; filename="sleevenotes-{day}.{format}"',
            "Cache-Control": "no-store",
        },
    )


router = Router(path="/api/v1", route_handlers=[export], include_in_schema=True, tags=["export"])
