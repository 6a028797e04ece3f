"""Redis Cluster: any of its nodes is named, and tells of the others.

    redis+cluster://[user:password@]host[:port][?options]

``rediss+cluster://`` is TLS. All keys of a partition share one hash tag, so a script runs on one node, and with
LEARNING_PARTITIONS the work is spread over the nodes (helm/learnsvc/README.md has the shares). A key
that moved is asked for at its new node, once each time; nothing else is retried.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterPipeline, RedisCluster
from redis.exceptions import ConnectionError as Away
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as TimedOut

SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}


def is_cluster(url: str) -> bool:
    return url.partition("://")[0] in SCHEMES


def clustered(redis: Redis) -> bool:
    """Say whether ``redis`` came from ``connect_cluster``."""
    return isinstance(redis, RedisCluster)


def node_url(url: str, node: str) -> str:
    """Return the URL of one ``node`` (host:port) of the cluster at ``url``, with the same user and options."""
    scheme, _, rest = url.partition("://")
    place, mark, options = rest.partition("?")
    user, at, _ = place.rpartition("@")
    return f"{SCHEMES[scheme]}://{user}{at}{node}{mark}{options}"


def connect_cluster(url: str, **options: Any) -> Redis:
    """Return a client of the whole cluster that answers like one of a single server; ``options`` are redis-py's.

    It has no ``connection_pool``, and a pipeline of it no PUBLISH and no transaction over several slots.
    """
    scheme, _, rest = url.partition("://")
    client: Any = _Cluster.from_url(f"{SCHEMES[scheme]}://{rest}", **options)
    return client  # type: ignore[no-any-return]


class _Cluster(RedisCluster):
    async def initialize(self, *args: Any, **options: Any) -> RedisCluster:
        """Find the nodes. That none answers is no error of Redis to redis-py: raise what was behind it."""
        try:
            return await super().initialize(*args, **options)
        except RedisClusterException as error:
            if isinstance(error.__cause__, RedisError):
                raise error.__cause__ from None
            raise Away("no node of the cluster answers for all slots") from error

    def pipeline(self, transaction: Any | None = None, shard_hint: Any | None = None) -> ClusterPipeline:
        return _Pipeline(self, transaction)  # type: ignore[abstract]  # as redis-py itself does


class _Pipeline(ClusterPipeline):
    __slots__ = ()

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        """As a single server's does, raise that a node is away, whatever ``raise_on_error`` says of its answers.

        And look for the nodes again before the next command: redis-py's pipeline would ask the dead one for ever.
        """
        try:
            replies = await super().execute(raise_on_error=False, allow_redirections=allow_redirections)
            for reply in replies:
                if isinstance(reply, Exception) and (raise_on_error or isinstance(reply, (Away, TimedOut))):
                    raise reply
        except (Away, TimedOut):
            await self.cluster_client.aclose()
            raise
        return replies
