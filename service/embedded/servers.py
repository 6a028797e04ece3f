"""The two servers: a folder, a port, a process on a leash, and a test of readiness each.

A kept folder is locked by a descriptor that the *server* inherits. So the lock lasts exactly as long as the
server does, and a second `dev` in the same folder waits for the first one's server to end, or says so.
"""

import fcntl
import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from service.embedded.leash import LAUNCH, Leash
from service.embedded.programs import find_mongod, find_redis_server, program_version

READY_TIMEOUT = 30.0  # seconds; a cold mongod on a busy disk takes about 5
STOP_TIMEOUT = 10.0  # seconds from SIGTERM to SIGKILL, for a server whose data is kept
LOCK_TIMEOUT = 5.0  # seconds to wait for the server of a run that has just ended
POLL = 0.02  # seconds between two looks
PORT_TRIES = 3  # a free port may be taken between our look and the server's bind


class EmbeddedFailed(RuntimeError):
    """A server was started and did not become ready; the message ends with its last log lines."""


class _Server:
    """What both servers share: folder, port, process, leash, readiness."""

    name = ""

    def __init__(
        self,
        program: Path | None,
        directory: Path | None,
        port: int | None,
        extra_args: Sequence[str],
        ready_timeout: float,
    ) -> None:
        self.extra_args = tuple(extra_args)
        self.ready_timeout = ready_timeout
        self._program = program
        self._kept = directory
        self._folder: Path | None = directory
        self._fixed_port = port
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None

    @property
    def program(self) -> Path:
        if self._program is None:
            self._program = self._find_program()
        return self._program

    @functools.cached_property
    def version(self) -> str:
        return program_version(self.program)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise EmbeddedFailed(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def port(self) -> int:
        if self._port is None:
            self._port = _free_port()
        return self._port

    @property
    def folder(self) -> Path:
        """Data and log; a temporary one is made on first use and removed by `stop`."""
        self._place().mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._place()

    @property
    def log_path(self) -> Path:
        """The server's own output, of its latest start only."""
        return self.folder / f"{self.name}.log"

    def start(self) -> Self:
        """Start the server and wait until it answers; whatever goes wrong, nothing is left running."""
        self.launch()
        self.wait_ready()
        return self

    def launch(self) -> None:
        """Start the process and return at once; `wait_ready` must follow."""
        if self.running:
            raise EmbeddedFailed(f"{self.name} is running already")
        program = self.program
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._leash = Leash(None if self._kept else self._place())
            lock = self._lock()
            undo.callback(os.close, lock)
            self._process = self._spawn(program, lock)
            undo.pop_all()
        os.close(lock)  # the server has its own copy

    def wait_ready(self) -> None:
        """Return when the server really answers; else raise EmbeddedFailed and leave nothing running."""
        deadline = time.monotonic() + self.ready_timeout
        tries = 1
        with ExitStack() as undo:
            undo.callback(self.stop)
            while not self._is_ready():
                if self.running and time.monotonic() < deadline:
                    time.sleep(POLL)
                elif self._lost_its_port() and tries < PORT_TRIES:
                    tries += 1
                    self._relaunch()
                else:
                    raise self._failure()
            undo.pop_all()

    def stop(self) -> None:
        """End the server and remove a temporary folder. Doing it twice is harmless."""
        if self._kept and self.running:
            self._end(signal.SIGTERM, STOP_TIMEOUT)
        self.kill()
        if not self._kept and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self) -> None:
        """SIGKILL, as a crash would; folder and port stay, so that `start` brings the same server back."""
        if self.running:
            self._end(signal.SIGKILL, STOP_TIMEOUT)
        if self._leash is not None:
            self._leash.release()
            self._leash = None
        self._process = None

    def log_tail(self, lines: int = 5) -> str:
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        from anyio import to_thread

        return await to_thread.run_sync(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        from anyio import CancelScope, to_thread

        with CancelScope(shield=True):
            await to_thread.run_sync(self.stop)

    def _find_program(self) -> Path:
        raise NotImplementedError

    def _arguments(self) -> list[str]:
        raise NotImplementedError

    def _is_ready(self) -> bool:
        raise NotImplementedError

    def _place(self) -> Path:
        """The folder's path; it need not exist yet, so that the leash is there before it."""
        if self._folder is None:
            name = f"learnsvc-{self.name}-{secrets.token_hex(8)}"
            self._folder = Path(tempfile.gettempdir()) / name
        return self._folder

    def _spawn(self, program: Path, lock: int) -> subprocess.Popen[bytes]:
        with self.log_path.open("wb") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", LAUNCH, "launch", program, *self._arguments(), *self.extra_args],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
                cwd=self.folder,
            )
        if self._leash:
            self._leash.hold(process.pid)
        if process.stdin:
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(b"go\n")
        return process

    def _lock(self) -> int:
        descriptor = os.open(self.folder / f"{self.name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise EmbeddedFailed(f"{self.folder} is in use by another {self.name}") from None
                time.sleep(POLL)
            else:
                return descriptor

    def _end(self, number: signal.Signals, seconds: float) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _lost_its_port(self) -> bool:
        """Somebody took the port that we had found free, and the server ended for it."""
        if self.running or self._fixed_port is not None:
            return False
        return "address already in use" in self.log_tail(50).lower()

    def _relaunch(self) -> None:
        self.kill()
        self._port = None
        self.launch()

    def _failure(self) -> EmbeddedFailed:
        how = f"did not answer within {self.ready_timeout:g} s"
        if self._process is not None and not self.running:
            how = f"ended with status {self._process.returncode} before it was ready"
        return EmbeddedFailed(f"{self.name} ({self.program}) {how}; its last log lines:\n{self.log_tail()}")


class EmbeddedRedis(_Server):
    """A Redis of our own.

    `directory` keeps the data (AOF, `everysec`) from run to run; without it everything is in a temporary
    folder, and nothing is written to disk unless `appendonly` says so.
    """

    name = "redis"

    def __init__(
        self,
        directory: Path | None = None,
        port: int | None = None,
        *,
        appendonly: bool | None = None,
        extra_args: Sequence[str] = (),
        program: Path | None = None,
        ready_timeout: float = READY_TIMEOUT,
    ) -> None:
        super().__init__(program, directory, port, extra_args, ready_timeout)
        self.appendonly = bool(directory) if appendonly is None else appendonly

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _find_program(self) -> Path:
        return find_redis_server()

    def _arguments(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder.absolute()),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes" if self.appendonly else "no",
            "appendfsync": "everysec",
        }
        return [word for key, value in options.items() for word in (f"--{key}", value)]

    def _is_ready(self) -> bool:
        """PING over a bare socket; INFO's process id tells our server from another on the same port."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
            link.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
            answer = b""
            while part := link.recv(8192):
                answer += part
            if answer.startswith((b"-NOAUTH", b"-NOPERM")):
                return self.running  # extra_args asked for a password: it answers, that is all we can see
            return answer.startswith(b"+PONG") and b"process_id:%d\r" % self.pid in answer
        return False


class EmbeddedMongo(_Server):
    """A MongoDB of our own, small: a cache of 256 MB, no diagnostic files, no unix socket.

    `replica_set` names a set of one member, initiated here unless `initiate` is false (a test that joins
    several). With a kept `directory` a replica set needs a fixed `port`: its configuration remembers the
    address.
    """

    name = "mongod"

    def __init__(
        self,
        directory: Path | None = None,
        port: int | None = None,
        *,
        replica_set: str | None = None,
        initiate: bool = True,
        extra_args: Sequence[str] = (),
        program: Path | None = None,
        ready_timeout: float = READY_TIMEOUT,
    ) -> None:
        super().__init__(program, directory, port, extra_args, ready_timeout)
        self.replica_set = replica_set
        self.initiate = initiate

    @property
    def url(self) -> str:
        return self.uri("") if self.replica_set else f"mongodb://127.0.0.1:{self.port}"

    def uri(self, database: str) -> str:
        """The URL with a database in its path."""
        options = f"?replicaSet={self.replica_set}" if self.replica_set else ""
        return f"mongodb://127.0.0.1:{self.port}/{database}{options}"

    def _find_program(self) -> Path:
        return find_mongod()

    def _arguments(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        arguments = ["--bind_ip", "127.0.0.1", "--port", str(self.port), "--dbpath", str(data.absolute())]
        arguments += ["--quiet", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"]
        arguments += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        if self.replica_set:
            arguments += ["--replSet", self.replica_set, "--oplogSize", "64"]
        return arguments

    def _is_ready(self) -> bool:
        """`hello` over the driver, once our own log says that it is our server that listens."""
        if b"Waiting for connections" not in self.log_path.read_bytes():
            return False
        from pymongo import MongoClient
        from pymongo.errors import PyMongoError

        client: MongoClient[dict[str, Any]] = MongoClient(
            "127.0.0.1", self.port, directConnection=True, timeoutMS=2000, serverSelectionTimeoutMS=2000
        )
        with client, suppress(PyMongoError):
            hello = client.admin.command("hello")
            return not self.replica_set or not self.initiate or self._is_primary(hello, client.admin.command)
        return False

    def _is_primary(self, hello: dict[str, Any], command: Callable[..., Any]) -> bool:
        if hello.get("isreplicaset"):  # started with --replSet and not initiated yet
            member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
            command("replSetInitiate", {"_id": self.replica_set, "members": [member]})
            return False
        return bool(hello.get("isWritablePrimary"))


def start_both(redis: EmbeddedRedis, mongo: EmbeddedMongo) -> None:
    """Start both side by side, in the time of the slower one; if either fails, neither is left running."""
    with ExitStack() as undo:
        undo.callback(redis.stop)
        undo.callback(mongo.stop)
        redis.launch()
        mongo.launch()
        redis.wait_ready()
        mongo.wait_ready()
        undo.pop_all()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
