"""``enqueue`` adds all or nothing, unless told otherwise."""

from __future__ import annotations

from pathlib import Path

import orjson
from redis import Redis

from service.streams.replies import entries
from tests.cli.conftest import Run, job, jsonl


def _queued(redis: Redis, key: str) -> list[dict[str, object]]:
    return [orjson.loads(fields[b"job"]) for _, fields in entries(redis.xrange(key))]


def test_adds_every_line(learnsvc: Run, redis_admin: Redis, jobs_key: str, tmp_path: Path) -> None:
    jobs = [job(job_id=str(number), extra=number) for number in range(450)]
    (tmp_path / "jobs.jsonl").write_text("\ufeff" + jsonl("", *jobs))
    done = learnsvc("enqueue", "jobs.jsonl", "--json", process=True)
    assert _queued(redis_admin, jobs_key) == jobs
    summary = orjson.loads(done.stdout)
    assert (summary["queued"], summary["skipped"]) == (450, 0)
    ids = [id for id, _ in entries(redis_admin.xrange(jobs_key))]
    assert (summary["first_id"], summary["last_id"]) == (ids[0], ids[-1])
    assert done.stderr == ""


def test_adds_nothing_when_a_line_is_wrong(learnsvc: Run, redis_admin: Redis, jobs_key: str) -> None:
    late = job(edited_at="2999-01-01T00:00:00Z")
    long = job(edited_text="x" * 1_100_000)
    text = jsonl(job(), "nonsense", job(user_id={"$ne": 1}), late, long, '{"user_id": "a", "user_id": "b"}')
    done = learnsvc("enqueue", "-", input=text, code=1)
    assert not redis_admin.exists(jobs_key)
    *lines, last = done.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"stdin line {number}" for number in range(2, 7)]
    assert "user_id: " in lines[1]
    assert "edited_at: " in lines[2]
    assert "limit" in lines[3]
    assert "twice" in lines[4]
    assert last.startswith("Error: 5 of 6 lines are wrong, nothing was added")

    done = learnsvc("enqueue", "-", "--skip-invalid", input=text, process=True)
    assert _queued(redis_admin, jobs_key) == [job()]
    assert done.stdout == "Queued 1 job, 5 wrong lines left out.\n"


def test_overrides_the_writer_and_logs_each(learnsvc: Run, redis_admin: Redis, jobs_key: str) -> None:
    anonymous = job()
    del anonymous["user_id"]
    done = learnsvc("enqueue", "-", "--user", "zoe", input=jsonl(anonymous, job("ana", job_id="7")))
    assert [one["user_id"] for one in _queued(redis_admin, jobs_key)] == ["zoe", "zoe"]
    logged = [orjson.loads(line) for line in done.stderr.splitlines()]
    assert [line["message"] for line in logged] == ["[Learning] Job queued for user zoe"] * 2
    assert "flour" not in done.stderr


def test_one_job_of_two_files(learnsvc: Run, redis_admin: Redis, jobs_key: str, tmp_path: Path) -> None:
    (tmp_path / "draft.txt").write_text("We utilise flour.\n")
    (tmp_path / "my post!.txt").write_text("We use flour.\n")
    learnsvc("enqueue", "--original", "draft.txt", "--edited", "my post!.txt", "--user", "ana", "--job", "j1")
    assert _queued(redis_admin, jobs_key) == [
        {
            "user_id": "ana",
            "content_id": "my-post-",
            "original_text": "We utilise flour.\n",
            "edited_text": "We use flour.\n",
            "job_id": "j1",
        }
    ]


def test_usage(offline: Run) -> None:
    for arguments in ((), ("a.jsonl", "--original", "x"), ("--original", "x", "--user", "ana"), ("-", "--job", "1")):
        offline("enqueue", *arguments, code=2)
