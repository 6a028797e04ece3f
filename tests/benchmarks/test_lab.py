"""What the benchmark does to a stream before it measures."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from redis import Redis

from service.embedded import EmbeddedMongo, EmbeddedRedis
from service.streams.keys import GROUP
from tests.benchmarks.lab import Lab


def test_a_backlog_is_seen_all_at_once(
    redis_server: EmbeddedRedis, mongo_server: EmbeddedMongo, redis_url: str, key_prefix: str, tmp_path: Path
) -> None:
    lab = Lab(redis_server, mongo_server, tmp_path).beside(key_prefix)

    def read(block: int | None = None) -> Any:
        with Redis.from_url(redis_url, socket_timeout=60) as client:
            return client.xreadgroup(GROUP, "ana", {lab.keys.jobs: ">"}, block=block)

    with lab.redis, lab.mongo, ThreadPoolExecutor(1) as pool:
        lab.redis.xgroup_create(lab.keys.jobs, GROUP, id="0", mkstream=True)
        with lab.unseen():
            waiting = pool.submit(read, 30_000)
            lab.wait(lambda: any("b" in client["flags"] for client in lab.redis.client_list()))
            lab.enqueue([b"{}"] * 3)
            assert not read()
        since = time.monotonic()
        assert not waiting.result()  # woken: who blocks would sleep on
        assert time.monotonic() - since < 20
        [[_, entries]] = read()
        assert len(entries) == 3
