"""The worker: the only room that knows streams, learning and profiles at once.

``loops`` keeps reading, renewing, sweeping and looking for what is due; ``intake`` brings entries in; ``lanes`` hands
each writer's entries to one lane at a time; ``batch`` learns and commits; ``settling`` tells the application and
acknowledges; ``inwork`` knows what this process holds and how much more it may take. ``running`` puts a worker
together, ``fleet`` runs several on one machine.
"""

from service.worker.loops import Worker

__all__ = ["Worker"]
