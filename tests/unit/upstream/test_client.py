"""The client: redirects, bounds and time, and what goes wrong as one of our faults."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from sleevenotes import errors
from sleevenotes.clock import HandClock
from sleevenotes.sources import contract
from sleevenotes.upstream import client

Answer = tuple[int, dict[str, str], bytes]
SILENCE: Answer = (0, {}, b"")


class Server:
    """Answers hops by URL, and remembers them."""

    def __init__(self, answers: Mapping[str, Answer | Exception]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, max_bytes: int
    ) -> Answer:
        self.asked.append((url, dict(headers)))
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        if answer == SILENCE:
            await asyncio.Event().wait()
        return answer


def talk(server: Server, clock: HandClock | None = None) -> client.Client:
    return client.Client(server, clock or HandClock(), "Tests/1 ( us@example.org )")


async def test_redirects_are_followed_across_hosts_and_never_in_the_clear() -> None:
    server = Server(
        {
            "https://a.org/x": (307, {"location": "//b.org/y"}, b"See: b"),
            "https://b.org/y": (302, {"location": "http://c.org/z"}, b""),
            "https://c.org/z": (200, {"content-type": "image/jpeg"}, b"bytes"),
        }
    )
    reply = await talk(server).send(contract.Request("https://a.org/x"), 30)
    assert (reply.status, reply.body, reply.url) == (200, b"bytes", "https://c.org/z")


async def test_every_hop_says_who_we_are() -> None:
    server = Server({"https://a.org/x": (200, {}, b"")})
    await talk(server).send(contract.Request("https://a.org/x", headers={"accept": "application/json"}), 30)
    assert server.asked[0][1]["user-agent"] == "Tests/1 ( us@example.org )"
    assert server.asked[0][1]["accept"] == "application/json"


async def test_a_token_is_not_taken_along_to_another_host() -> None:
    server = Server(
        {
            "https://a.org/x": (302, {"location": "/y"}, b""),
            "https://a.org/y": (302, {"location": "https://b.org/z"}, b""),
            "https://b.org/z": (200, {}, b""),
        }
    )
    await talk(server).send(contract.Request("https://a.org/x", headers={"authorization": "Token secret"}), 30)
    assert ["authorization" in headers for _, headers in server.asked] == [True, True, False]


async def test_a_redirect_that_goes_in_circles_is_garbled() -> None:
    server = Server({"https://a.org/x": (302, {"location": "/x"}, b"")})
    with pytest.raises(errors.Garbled, match="redirects"):
        await talk(server).send(contract.Request("https://a.org/x"), 30)
    assert len(server.asked) == client.MAX_REDIRECTS + 1


async def test_a_reply_larger_than_allowed_is_garbled() -> None:
    server = Server({"https://a.org/x": (200, {}, b"x" * 11)})
    with pytest.raises(errors.Garbled, match="larger"):
        await talk(server).send(contract.Request("https://a.org/x", max_bytes=10), 30)


async def test_a_dropped_connection_is_unreachable() -> None:
    server = Server({"https://a.org/x": ConnectionResetError("reset by peer")})
    with pytest.raises(errors.Unreachable, match="reset by peer"):
        await talk(server).send(contract.Request("https://a.org/x"), 30)


async def test_no_answer_in_time_is_unreachable_by_our_clock() -> None:
    clock = HandClock()
    sending = asyncio.create_task(
        talk(Server({"https://a.org/x": SILENCE}), clock).send(contract.Request("https://a.org/x"), 20)
    )
    while clock.next_due is None:  # noqa: ASYNC110 - until it waits, and it waits without an event of ours
        await asyncio.sleep(0)
    clock.turn(20)
    with pytest.raises(errors.Unreachable, match="within 20 s"):
        await sending


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),  # the metadata service of clouds
        ("::1", False),
        ("fe80::1", False),
        ("0.0.0.0", False),  # noqa: S104 - refused, not bound
        ("::ffff:127.0.0.1", False),
    ],
)
def test_only_addresses_of_the_public_internet_are_connected_to(address: str, public: bool) -> None:
    assert client.is_public(address) is public


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://[::1]/x", "http://example.org/x", "file:///etc/passwd"]
)
async def test_the_internet_refuses_private_addresses_and_plain_text(url: str) -> None:
    with pytest.raises(OSError, match="refuses"):
        await client.Internet().exchange("GET", url, {}, b"", max_bytes=10)


async def test_a_name_that_leads_to_this_machine_is_refused_when_connecting() -> None:
    resolver = client.PublicResolver()
    with pytest.raises(OSError, match="no public address"):
        await resolver.resolve("localhost", 443)
    await resolver.close()
