"""What an entry that waits costs Redis: python -m tests.helm.sizes prints it for the sample edits."""

import json
from importlib.resources import files

from redis import Redis

from service.embedded import EmbeddedRedis
from service.streams.keys import Keys

ENTRIES = 10_000


def main() -> None:
    lines = (files("service") / "sample" / "edits.jsonl").read_text().splitlines()
    jobs = Keys.of().partitions[0].jobs
    with EmbeddedRedis() as server, Redis.from_url(server.url) as redis:
        for number in range(ENTRIES):
            redis.xadd(jobs, {"job": lines[number % len(lines)]})
        size = redis.memory_usage(jobs, samples=0) or 0
    payload = sum(len(line.encode()) for line in lines) / len(lines)
    print(json.dumps({"payload_bytes": round(payload), "redis_bytes_an_entry": round(size / ENTRIES)}))


if __name__ == "__main__":
    main()
