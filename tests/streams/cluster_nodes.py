"""A real Redis Cluster of three primaries on loopback; ``with_replica`` gives one of them a replica."""

import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from service.embedded import EmbeddedRedis
from tests.conftest import _named_program

SLOTS = 16_384
NODES = 3


def _port() -> int:
    """A free port whose cluster bus, 10,000 above, fits below 65,536."""
    while True:
        port = random.randrange(20_000, 30_000)
        try:
            for number in (port, port + 10_000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port


def _node() -> EmbeddedRedis:
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
    return EmbeddedRedis(port=_port(), extra_args=options, program=_named_program("LEARNSVC_TEST_REDIS_SERVER"))


@contextmanager
def cluster() -> Iterator[list[EmbeddedRedis]]:
    """Start the nodes and wait until each of them knows who has which slots."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(_node()) for _ in range(NODES)]
        clients = [stack.enter_context(Redis.from_url(node.url, socket_timeout=10)) for node in nodes]
        for number, client in enumerate(clients):
            slots = range(number * SLOTS // NODES, (number + 1) * SLOTS // NODES)
            client.execute_command("CLUSTER", "ADDSLOTS", *slots)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        yield nodes


@contextmanager
def with_replica(primary: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    """Start a replica of ``primary``, which must be in a cluster already, and wait until it is in step."""
    with _node() as node, Redis.from_url(node.url) as replica, Redis.from_url(primary.url) as upstream:
        replica.execute_command("CLUSTER", "MEET", "127.0.0.1", primary.port)
        id = upstream.execute_command("CLUSTER", "MYID").decode()
        while True:
            try:
                replica.execute_command("CLUSTER", "REPLICATE", id)
                break
            except ResponseError:  # it has not heard of the primary yet
                time.sleep(0.05)
        while replica.info("replication").get("master_link_status") != "up":
            time.sleep(0.05)
        yield node


def ready(nodes: list[EmbeddedRedis], known: int = NODES) -> bool:
    """Say whether every node knows ``known`` nodes and who has all slots."""
    for node in nodes:
        with Redis.from_url(node.url, socket_timeout=10) as client:
            reply: Any = client.execute_command("CLUSTER", "INFO")
            info = reply.decode() if isinstance(reply, bytes) else str(reply)
            if not all(word in info.replace("'", "").replace(": ", ":") for word in
                       ("cluster_state:ok", "cluster_slots_ok:16384", f"cluster_known_nodes:{known}")):  # fmt: skip
                return False
    return True
