"""The proxy does what it says, else the outages played through it prove nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.proxy import Proxy

pytestmark = pytest.mark.anyio


@pytest.fixture
async def proxy(no_stray_tasks: None) -> AsyncIterator[Proxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100_000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]).serving() as proxy:
        yield proxy


async def ask(proxy: Proxy, text: bytes = b"hello") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(text)
        return await reader.readexactly(len(text))
    finally:
        writer.close()


async def test_it_carries_and_counts(proxy: Proxy) -> None:
    assert await ask(proxy) == await ask(proxy) == b"hello"
    assert proxy.connections == 2


async def test_it_delays(proxy: Proxy) -> None:
    proxy.delay = 0.1
    started = asyncio.get_running_loop().time()
    assert await ask(proxy) == b"hello"
    assert asyncio.get_running_loop().time() - started >= 0.2


async def test_it_cuts_after_so_many_bytes(proxy: Proxy) -> None:
    proxy.cut_after = 8
    assert await ask(proxy) == b"hello"
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await ask(proxy, b"longer than that")


async def test_a_black_hole_holds_and_then_lets_go(proxy: Proxy) -> None:
    proxy.black_hole()
    asking = asyncio.create_task(ask(proxy))
    done, _ = await asyncio.wait([asking], timeout=0.2)
    assert not done
    proxy.heal()
    assert await asking == b"hello"


async def test_half_open_is_for_ever_and_new_connections_work(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"one")
    assert await reader.readexactly(3) == b"one"
    proxy.half_open()
    proxy.heal()
    writer.write(b"two")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readexactly(3), 0.2)
    assert await ask(proxy) == b"hello"
    writer.close()


async def test_it_refuses_until_it_is_healed(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await ask(proxy)
    proxy.heal()
    assert await ask(proxy) == b"hello"
