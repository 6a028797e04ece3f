"""The worker's settings and keys, as its own tests have them."""

from tests.worker.conftest import keys, settings

__all__ = ["keys", "settings"]
