"""Redis behind Sentinel: the primary is asked for with every new connection.

    redis+sentinel://[user:password@]host[:port][,host[:port]...]/service[/number][?options]

``rediss+sentinel://`` is TLS to the servers and to the sentinels. ``sentinel_username`` and ``sentinel_password`` are
for the sentinels, every other option is one of redis-py's. The grammar is that of docket and Prefect. A connection
that meets READONLY is dropped, and the next one asks who the primary is by now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

SCHEMES = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
PORT = 26379
ASK_SECONDS = 1.0  # for one sentinel: one that is away costs every new connection this much before the next is asked


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Where the sentinels are, which service they watch, and redis-py's options for the servers and the sentinels."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    server: dict[str, Any] = field(repr=False)
    sentinel: dict[str, Any] = field(repr=False)


def is_sentinel(url: str) -> bool:
    return url.partition("://")[0] in SCHEMES


def parse(url: str) -> SentinelAddress:
    """Return what ``url`` says. Raises ``ValueError``, whose text repeats nothing of ``url``."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    login, _, hosts = authority.rpartition("@")
    service, _, number = path.partition("/")
    if not service or (number and not number.isdigit()):
        raise ValueError("redis+sentinel:// must end with /service or /service/number")
    found = tuple(_host(host) for host in hosts.split(","))
    options: dict[str, Any] = dict(
        parse_url(f"{SCHEMES[scheme]}://{login}{'@' if login else ''}server/{number or 0}?{query}")
    )
    options.pop("host")
    tls = options.pop("connection_class", None) is SSLConnection
    sentinel = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    sentinel |= {name: value for name, value in options.items() if name.startswith("ssl_")}
    if tls:
        options["ssl"] = sentinel["ssl"] = True
    return SentinelAddress(found, service, options, sentinel)


def connect_primary(url: str, **options: Any) -> Redis:
    """Return a client of the service's primary; ``options`` are redis-py's, for the servers. Closing it closes all."""
    address = parse(url)
    short = min(ASK_SECONDS, options["socket_connect_timeout"])
    asking = {"socket_timeout": short, "socket_connect_timeout": short, "retry": options["retry"]}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        address.hosts, sentinel_kwargs={**address.sentinel, **asking}
    )
    client: Redis = sentinel.master_for(address.service, connection_pool_class=_Pool, **{**options, **address.server})
    return client


class _Pool(SentinelConnectionPool):
    """Closes the connections to the sentinels with its own; redis-py leaves them open."""

    async def aclose(self) -> None:
        await super().aclose()
        await self.sentinel_manager.aclose()


def _host(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(PORT)
    if not host or not port.isdigit():
        raise ValueError("redis+sentinel:// needs host or host:port, with commas between")
    return host.strip("[]"), int(port)
