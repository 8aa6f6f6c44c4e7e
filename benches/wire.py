"""A thin HTTP/1.1 client, so that a benchmark measures the server and not its client."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import msgspec


class Wire:
    """One connection to 127.0.0.1:port; opened when first used, and again after it broke."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self._head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Token {token}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send JSON; return status and body. Raises OSError when the connection breaks."""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return await self._exchange(f"POST {path} HTTP/1.1\r\n{self._head}{kind}\r\n".encode() + body)

    async def get(self, path: str) -> tuple[int, bytes]:
        """Fetch; return status and body. Raises OSError when the connection breaks."""
        return await self._exchange(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            return int(head[9:12]), await reader.readexactly(_length(head))
        except (OSError, EOFError) as error:
            self.close()
            raise ConnectionError(f"the server closed the connection: {error}") from error


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"an answer without Content-Length: {head[:200]!r}")


def submission(rows: list[tuple[int, str, str, str]], listen_type: str) -> bytes:
    """Write (UNIX seconds, artist, track, release) rows as a body of ListenBrainz' submit-listens."""
    payload = [
        {
            "listened_at": ts,
            "track_metadata": {"artist_name": artist, "track_name": track}
            | ({"release_name": release} if release else {}),
        }
        for ts, artist, track, release in rows
    ]
    return msgspec.json.encode({"listen_type": listen_type, "payload": payload})
