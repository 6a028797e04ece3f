"""Orders to a worker to fault itself at an exact moment, over files: the first worker that gets there takes it.

An order is a file ``moment.SIGNAL.number`` in one folder. A worker that reaches the moment moves it to another, its
process id added, and sends itself the signal: nothing happens in between, and a kill can be counted by its file.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio

VARIABLE = "CHAOS_ORDERS"
Moment = Literal["taken", "loaded", "committed"]  # before the load; before the commit; between commit and settle
MOMENTS: tuple[Moment, ...] = ("taken", "loaded", "committed")


@dataclass(frozen=True, slots=True)
class Order:
    """One order, as the harness gave it."""

    folder: Path
    name: str

    @property
    def pid(self) -> int | None:
        """Return who took it, None as long as nobody did."""
        for path in (self.folder / "taken").glob(f"{self.name}.*"):
            return int(path.suffix[1:])
        return None


class Orders:
    """The two folders, seen from the harness (``give``) and from a worker (``obey``)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._given = 0
        for name in ("given", "taken"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def give(self, moment: Moment, signum: signal.Signals) -> Order:
        self._given += 1
        order = Order(self._folder, f"{moment}.{signum.name}.{self._given}")
        (self._folder / "given" / order.name).touch()
        return order

    def withdraw(self) -> int:
        """Take back what nobody took; return how many."""
        left = list((self._folder / "given").iterdir())
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def hold(self) -> None:
        """Let jobs of content ``waits`` wait in their extraction until ``release``."""
        for path in self._folder.glob("waiting.*"):
            path.unlink()
        (self._folder / "hold").touch()

    def release(self) -> None:
        (self._folder / "hold").unlink()

    async def waiting(self, seconds: float = 30) -> int:
        """Return the process id of the first worker that waits."""
        with anyio.fail_after(seconds):
            while not (found := sorted(self._folder.glob("waiting.*"))):
                await anyio.sleep(0.01)
        return int(found[0].suffix[1:])

    async def wait(self) -> None:
        """In a worker: say so and wait until ``release``."""
        (self._folder / f"waiting.{os.getpid()}").touch()
        while (self._folder / "hold").exists():
            await anyio.sleep(0.01)

    def obey(self, moment: Moment) -> None:
        """In a worker: take an order for ``moment`` if there is one, and do to this process what it says."""
        for name in os.listdir(self._folder / "given"):
            at, signum, _ = name.split(".")
            if at != moment:
                continue
            try:
                os.rename(self._folder / "given" / name, self._folder / "taken" / f"{name}.{os.getpid()}")
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.Signals[signum])
            return
