"""The store's suite, the main job and many jobs of one writer on a standalone mongod and two replica sets."""

from tests.compat.servers import mongo_admin, mongo_server
from tests.test_profiles import *
from tests.worker.conftest import keys, settings
from tests.worker.test_takeover import test_many_jobs_of_one_writer_in_two_workers
from tests.worker.test_whole_way import *

__all__ = ["keys", "mongo_admin", "mongo_server", "settings", "test_many_jobs_of_one_writer_in_two_workers"]
