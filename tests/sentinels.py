"""A primary, its replica and three sentinels on loopback, that fail over within seconds."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import RedisError

from service.embedded import EmbeddedRedis

SERVICE = "learning"
DOWN_MS = 1000  # a primary silent for this long is down; in production 5,000 to 30,000


class SentinelServer(EmbeddedRedis):
    """`redis-server --sentinel`, watching `primary`. It rewrites its own configuration file."""

    name = "sentinel"

    def __init__(self, primary: EmbeddedRedis, *, program: Path | None = None) -> None:
        super().__init__(program=program)
        self._primary = primary

    def _arguments(self) -> list[str]:
        file = self.folder / "sentinel.conf"
        if not file.exists():
            lines = [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"dir {self.folder.absolute()}",
                f"sentinel monitor {SERVICE} 127.0.0.1 {self._primary.port} 2",
                f"sentinel down-after-milliseconds {SERVICE} {DOWN_MS}",
                f"sentinel failover-timeout {SERVICE} 5000",
            ]
            file.write_text("\n".join(lines) + "\n")
        return [str(file), "--sentinel"]


class SentinelSet:
    """Two servers and who watches them. `start` and `stop` all of it; kill or freeze `primary` to have it fail over."""

    def __init__(self, program: Path | None = None) -> None:
        fast = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
        self.primary = EmbeddedRedis(appendonly=True, program=program, extra_args=fast)
        to_primary = ["--replicaof", "127.0.0.1", str(self.primary.port)]
        self.replica = EmbeddedRedis(appendonly=True, program=program, extra_args=fast + to_primary)
        self.sentinels = [SentinelServer(self.primary, program=program) for _ in range(3)]

    @property
    def url(self) -> str:
        """Where the first primary is."""
        return self.primary.url

    @property
    def sentinel_url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def start(self) -> Self:
        """Start all, and wait until the sentinels know each other and the replica is in step."""
        self.launch()
        self.wait_ready()
        return self

    def launch(self) -> None:
        try:
            for server in (self.primary, self.replica, *self.sentinels):
                server.launch()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self) -> None:
        try:
            for server in (self.primary, self.replica, *self.sentinels):
                server.wait_ready()
            self._until(self._is_complete)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for server in (*self.sentinels, self.replica, self.primary):
            server.stop()

    def wait_for_failover(self) -> None:
        """Return when the sentinels name the replica and it takes writes."""
        self._until(lambda: self._named() == self.replica.port and self._role(self.replica) == "master")

    def _is_complete(self) -> bool:
        for sentinel in self.sentinels:
            with Redis(port=sentinel.port, socket_timeout=2) as client:
                [state] = client.sentinel_masters().values()
                if state["num-other-sentinels"] < 2 or state["num-slaves"] < 1:
                    return False
        with Redis(port=self.replica.port, socket_timeout=2) as client:
            return bool(client.info("replication")["master_link_status"] == "up")

    def _named(self) -> int:
        ports = set()
        for sentinel in self.sentinels:
            if not sentinel.running:
                continue
            with Redis(port=sentinel.port, socket_timeout=2) as client:
                ports.add(client.sentinel_get_master_addr_by_name(SERVICE)[1])
        return ports.pop() if len(ports) == 1 else 0

    def _role(self, server: EmbeddedRedis) -> str:
        with Redis(port=server.port, socket_timeout=2) as client:
            return str(client.info("replication")["role"])

    @staticmethod
    def _until(condition: Callable[[], bool], seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except (RedisError, OSError, ValueError):
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:g} s")
            time.sleep(0.05)
