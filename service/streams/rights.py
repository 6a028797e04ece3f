"""What the service may do on Redis: the least ACL that suffices, and finding out what of it a user lacks.

Redis checks a command's rights before it queues it in a MULTI. So every command of the worker is sent, with its real
keys, between a MULTI and the end of the connection: the server says of each one whether it is allowed, and runs none.
That holds for 6.2, 7.x, 8.x and Valkey alike, and needs no right but MULTI, where ``ACL DRYRUN`` is 7.0's and an
administrator's. Commands inside scripts are checked against the same user when they run.

One line of rules serves every version: 6.2 knows ``+xgroup|create`` as well. From 7.0 on ``%W~`` may stand for ``~``
at the application's cache keys, which are deleted and never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from service.errors import denied
from service.streams.cluster import clustered
from service.streams.keys import UPDATED_CHANNEL, Keys, PartitionKeys, cache_keys

WORKER_COMMANDS = (
    *("xreadgroup", "xautoclaim", "xclaim", "xpending", "xack", "xdel", "xadd", "xlen", "xrange"),
    *("xgroup|create", "xgroup|createconsumer", "xgroup|delconsumer", "xinfo|consumers"),
    *("evalsha", "script|load", "hgetall", "hincrby", "hmget", "hset", "hkeys", "hdel", "expire"),
    *("del", "publish", "time", "multi"),
)
# `profile forget`, what `doctor` looks at, and the model's cost in `status`
OPERATOR_COMMANDS = (*WORKER_COMMANDS, "exec", "info", "config|get", "get", "zcount")
# What workers share about the model: answers, budget, cost. Without these each goes by its own memory.
SHARING_COMMANDS = (
    *("mget", "set", "get", "exists", "incrby", "hget"),
    *("zadd", "zcard", "zremrangebyscore", "pexpire"),
)

Probe = tuple[str, ...]
_NONE = "-"  # a group, a consumer, a writer that nobody is


def acl(keys: Keys, *, operator: bool = False) -> str:
    """Return the rules for ACL SETUSER: of a worker, or of somebody at the command line as well."""
    tag = keys.partitions[0].jobs.removesuffix(":jobs")
    own = f"~{tag}:*" if len(keys.partitions) == 1 else f"~{tag.rpartition(':')[0]}:*"
    if operator and len(keys.partitions) > 1:
        own += f" {_sharing_rule(keys)}"
    caches = " ".join(f"~{key}" for key in cache_keys("*"))
    commands = " ".join(f"+{command}" for command in (OPERATOR_COMMANDS if operator else WORKER_COMMANDS))
    return f"resetkeys resetchannels -@all {own} {caches} &{UPDATED_CHANNEL} {commands}"


def sharing_acl(keys: Keys) -> str:
    """Return the rules that a worker with a model needs beside those of ``acl``."""
    return " ".join([_sharing_rule(keys), *(f"+{command}" for command in SHARING_COMMANDS)])


def _sharing_rule(keys: Keys) -> str:
    tag = keys.partitions[0].jobs.removesuffix(":jobs")
    return f"~{tag if len(keys.partitions) == 1 else tag.rpartition(':')[0] + '}'}:gemini:*"


async def missing_rights(redis: Redis, keys: Keys, *, sharing: bool = False) -> list[str] | None:
    """Return the rules this user lacks as a worker, such as ``+xack``; None when nobody can tell: MULTI is refused,
    or this is a cluster, where each node has users of its own.

    With ``sharing`` those are looked at that ``sharing_acl`` names.
    """
    if clustered(redis):
        return None
    if sharing:
        probes = list(_sharing_probes(keys))
    else:
        probes = [(rule, words) for command in WORKER_COMMANDS for rule, words in _probes(command, keys)]
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    missing: dict[str, None] = {}
    try:
        await connection.send_command("MULTI")
        try:
            await connection.read_response()
        except ResponseError:
            return None
        await connection.send_packed_command(connection.pack_commands([words for _, words in probes]))
        for rules, _ in probes:
            try:
                await connection.read_response()
            except NoPermissionError as error:
                missing[rules[denied(error)]] = None
            except ResponseError:
                continue  # no question of rights: a replica, a MULTI in a MULTI, a command unknown here
    finally:
        await connection.disconnect()  # which ends the MULTI: nothing was run
        await pool.release(connection)
    return list(missing)


Rules = dict[str, str]  # what may be denied (command, key, channel) -> the rule that allows it


def _probes(command: str, keys: Keys) -> Iterator[tuple[Rules, Probe]]:
    """Yield ``command`` as the service calls it, on every key it touches; harmless even if it were run."""
    words = command.upper().split("|")
    rules = {"command": f"+{command}", "channel": f"&{UPDATED_CHANNEL}"}
    for key in cache_keys(_NONE) if command == "del" else ():
        yield {**rules, "key": f"~{key.removesuffix(_NONE)}*"}, (*words, key)
    if command in _KEYLESS:
        yield {**rules, "key": "allkeys"}, (*words, *_KEYLESS[command])
    for partition in keys.partitions:
        for key, *arguments in _on(partition).get(command, ()):
            call = (*arguments, key, ">") if command == "xreadgroup" else (key, *arguments)
            yield {**rules, "key": f"~{key}"}, (*words, *call)


def _sharing_probes(keys: Keys) -> Iterator[tuple[Rules, Probe]]:
    rule = _sharing_rule(keys)
    key = rule.removeprefix("~").replace("*", _NONE)
    for command in SHARING_COMMANDS:
        yield {"command": f"+{command}", "key": rule}, (command.upper(), key, *_SHARING.get(command, ()))


_SHARING: dict[str, Probe] = {
    "set": ("0", "XX"),
    "incrby": ("0",),
    "hget": (_NONE,),
    "zadd": ("XX", "0", _NONE),
    "zremrangebyscore": ("1", "0"),
    "pexpire": ("0",),
}
_KEYLESS: dict[str, Probe] = {
    "evalsha": ("0" * 40, "0"),
    "script|load": ("return 0",),
    "publish": (UPDATED_CHANNEL, ""),
    "time": (),
    "multi": (),
}


def _on(keys: PartitionKeys) -> dict[str, list[Probe]]:
    """Return for each command with keys the key and the arguments of its calls."""
    jobs, dead, stats, minutes = keys.jobs, keys.dead, keys.stats, keys.minutes
    return {
        "xreadgroup": [(jobs, "GROUP", _NONE, _NONE, "STREAMS")],
        "xautoclaim": [(jobs, _NONE, _NONE, "0", "0-0")],
        "xclaim": [(jobs, _NONE, _NONE, "0", "0-1")],
        "xpending": [(jobs, _NONE)],
        "xack": [(jobs, _NONE, "0-1")],
        "xdel": [(jobs, "0-1"), (dead, "0-1")],
        "xadd": [(jobs, "0-0", _NONE, _NONE), (dead, "0-0", _NONE, _NONE)],
        "xlen": [(jobs,), (dead,)],
        "xrange": [(jobs, "0-1", "0-1"), (dead, "0-1", "0-1")],
        "xgroup|create": [(jobs, _NONE, _NONE)],
        "xgroup|createconsumer": [(jobs, _NONE, _NONE)],
        "xgroup|delconsumer": [(jobs, _NONE, _NONE)],
        "xinfo|consumers": [(jobs, _NONE)],
        "hgetall": [(stats,)],
        "hincrby": [(stats, _NONE, _NONE), (minutes, _NONE, _NONE)],
        "hmget": [(minutes, _NONE)],
        "hset": [(minutes, _NONE, _NONE)],
        "hkeys": [(minutes,)],
        "hdel": [(minutes, _NONE)],
        "expire": [(minutes, _NONE)],
    }
