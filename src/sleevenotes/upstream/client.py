"""One HTTP exchange with another host: redirects, bounds, timeouts, and what goes wrong as one of our faults.

The transport below it does one hop and is the only seam: the internet (`Internet`), a simulator on a loopback
port (the same class, told where), or a simulator mounted in-process by tests.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import aiohttp
import aiohttp.abc

from sleevenotes import clock, errors
from sleevenotes.sources import contract

MAX_REDIRECTS = 5
T = TypeVar("T")


class Transport(Protocol):
    """One hop: no redirect is followed. Raises ConnectionError when no whole reply comes."""

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers with lower-case names, and the body, cut after `max_bytes` + 1."""
        ...


class Client:
    """Sends a source's request and returns the reply of the last hop."""

    def __init__(self, transport: Transport, time: clock.Clock, user_agent: str) -> None:
        self._transport = transport
        self._time = time
        self._headers = {"user-agent": user_agent, "accept-encoding": "gzip, deflate"}

    async def send(self, request: contract.Request, timeout: float) -> contract.Reply:  # noqa: ASYNC109 - in our clock's seconds
        """Exchange within `timeout` seconds of the clock, redirects included.

        Raises errors.Unreachable when no whole reply came, errors.Garbled when it is larger than allowed.
        """
        try:
            return await _within(self._time, timeout, self._follow(request))
        except TimeoutError:
            raise errors.Unreachable(f"no answer within {timeout:g} s") from None
        except (ConnectionError, aiohttp.ClientError, OSError) as error:
            raise errors.Unreachable(f"no answer: {error or type(error).__name__}") from error

    async def _follow(self, request: contract.Request) -> contract.Reply:
        url = request.url
        headers = {**self._headers, **request.headers}
        for _ in range(MAX_REDIRECTS + 1):
            status, answered, body = await self._transport.exchange(
                request.method, url, headers, request.body, max_bytes=request.max_bytes
            )
            if len(body) > request.max_bytes:
                raise errors.Garbled(f"the reply is larger than {request.max_bytes} bytes", body=body)
            location = answered.get("location")
            if status not in (301, 302, 303, 307, 308) or not location:
                return contract.Reply(status=status, headers=answered, body=body, url=url)
            target = _https(urljoin(url, location))
            if urlsplit(target).netloc != urlsplit(url).netloc:
                headers.pop("authorization", None)  # a token is for the host it was given by
            url = target
        raise errors.Garbled(f"more than {MAX_REDIRECTS} redirects")


def _https(url: str) -> str:
    """Never go on in the clear: Cover Art Archive still names http:// addresses that also answer https://."""
    return "https://" + url.removeprefix("http://") if url.startswith("http://") else url


async def _within(time: clock.Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, at most that many seconds of this clock; TimeoutError after them."""
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(time.sleep(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        alarm.cancel()
        task.cancel()


class PublicResolver(aiohttp.abc.AbstractResolver):
    """Resolves names, and refuses addresses that are not public, at the moment of connecting.

    So no reply, redirect or name server can make us talk to the machine itself or to its neighbours.
    """

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        """Return the public addresses of `host`; OSError when it has none."""
        found = await self._resolver.resolve(host, port, family)
        public = [result for result in found if is_public(result["host"])]
        if not public:
            raise OSError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        """Release what the resolver holds."""
        await self._resolver.close()


def is_public(address: str) -> bool:
    """Tell whether an address literal is one of the public internet."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Internet:
    """The transport over the network. With `simulator` ("host:port"), every request goes there instead."""

    def __init__(self, simulator: str = "") -> None:
        self._simulator = simulator
        self._session: aiohttp.ClientSession | None = None

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int
    ) -> tuple[int, dict[str, str], bytes]:
        """Do one hop; see Transport."""
        target, extra = self._route(url)
        session = self._session = self._session or self._open()
        async with session.request(
            method, target, headers={**headers, **extra}, data=body or None, allow_redirects=False
        ) as reply:
            read = await _read(reply.content, max_bytes)
            return reply.status, {name.lower(): value for name, value in reply.headers.items()}, read

    def _route(self, url: str) -> tuple[str, dict[str, str]]:
        parts = urlsplit(url)
        if self._simulator:
            return parts._replace(scheme="http", netloc=self._simulator).geturl(), {"host": parts.netloc}
        host = parts.hostname or ""
        if parts.scheme != "https" or (_is_literal(host) and not is_public(host)):
            raise OSError(f"refuses to fetch {parts.scheme}://{host}")
        return url, {}

    def _open(self) -> aiohttp.ClientSession:
        resolver = None if self._simulator else PublicResolver()
        connector = aiohttp.TCPConnector(resolver=resolver, limit=64, keepalive_timeout=60)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30)
        session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        # aiohttp asks a second time by itself when a kept connection drops: a request that no budget has seen.
        session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read(stream: aiohttp.StreamReader, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            break
    return b"".join(chunks)[: max_bytes + 1]
