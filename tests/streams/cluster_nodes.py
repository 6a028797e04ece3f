"""A real Redis Cluster of three nodes on loopback, without replicas."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from redis import Redis

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


@contextmanager
def cluster() -> Iterator[list[EmbeddedRedis]]:
    """Start the nodes and wait until each of them knows who has which slots."""
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
    with ExitStack() as stack:
        program = _named_program("LEARNSVC_TEST_REDIS_SERVER")
        nodes = [
            stack.enter_context(EmbeddedRedis(port=_port(), extra_args=options, program=program)) for _ in range(NODES)
        ]
        clients = [stack.enter_context(Redis.from_url(node.url, socket_timeout=10)) for node in nodes]
        for number, client in enumerate(clients):
            slots = range(number * SLOTS // NODES, (number + 1) * SLOTS // NODES)
            client.execute_command("CLUSTER", "ADDSLOTS", *slots)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        yield nodes


def ready(nodes: list[EmbeddedRedis]) -> bool:
    """Say whether every node knows all others and all slots."""
    for node in nodes:
        with Redis.from_url(node.url, socket_timeout=10) as client:
            reply: Any = client.execute_command("CLUSTER", "INFO")
            info = reply.decode() if isinstance(reply, bytes) else str(reply)
            if not all(word in info.replace("'", "").replace(": ", ":") for word in
                       ("cluster_state:ok", "cluster_slots_ok:16384", f"cluster_known_nodes:{NODES}")):  # fmt: skip
                return False
    return True
