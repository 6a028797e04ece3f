"""The leash: what ends a server when the command that started it is gone.

`PR_SET_PDEATHSIG` would be the short way, but it fires when the *thread* that forked ends, and needs a
`preexec_fn`, which may deadlock beside other threads. So every server gets a `sh` that blocks reading a pipe
whose only writing end is ours. The kernel closes that end however we die; the shell then ends the server and
removes its temporary folder. It works from any thread and on any POSIX system.

No moment is left unguarded: the server is started as `read && exec` (`LAUNCH`), waits for a line from us, and
gets it only after the leash knows its process id.

A server with a temporary folder is killed outright, there is nothing to keep; one with a kept folder gets
SIGTERM and 10 s to write everything down.
"""

import os
import subprocess
import weakref
from contextlib import suppress
from pathlib import Path

LAUNCH = 'read -r _ && exec "$@" </dev/null'

_LEASH = """
folder=$1
read -r pid || { [ -z "$folder" ] || rm -rf -- "$folder"; exit 0; }
read -r released && exit 0
if [ -n "$folder" ]; then
  kill -KILL "$pid" 2>/dev/null
  rm -rf -- "$folder" 2>/dev/null || { sleep 0.5; rm -rf -- "$folder"; }
else
  kill -TERM "$pid" 2>/dev/null
  tenths=0
  while kill -0 "$pid" 2>/dev/null; do
    tenths=$((tenths + 1))
    [ "$tenths" -lt 100 ] || { kill -KILL "$pid" 2>/dev/null; exit 0; }
    sleep 0.1
  done
fi
"""


class Leash:
    """One server's leash. `temporary` is the folder to remove with it, None for kept data."""

    def __init__(self, temporary: Path | None) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _LEASH, "learnsvc-leash", str(temporary or "")],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            cwd="/",
        )
        self._holding = False
        _held.add(self)

    def hold(self, pid: int) -> None:
        self._write(f"{pid}\n")
        self._holding = True

    def release(self) -> None:
        """The server has ended in an orderly way: the leash has nothing left to do."""
        if self._holding:
            self._write("released\n")
        self.drop()
        self._shell.wait()

    def drop(self) -> None:
        """Close our end of the pipe; if ours was the only one, the leash acts."""
        if self._shell.stdin:
            self._shell.stdin.close()

    def _write(self, line: str) -> None:
        if self._shell.stdin:
            with suppress(BrokenPipeError):
                self._shell.stdin.write(line.encode())


_held: weakref.WeakSet[Leash] = weakref.WeakSet()


def _drop_all() -> None:
    for leash in list(_held):
        leash.drop()


# A forked child (a process pool) would keep the pipe open, and the servers alive, after the command has died.
os.register_at_fork(after_in_child=_drop_all)
