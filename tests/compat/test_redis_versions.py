"""The main job and the worker's core tests on Redis 6.2, 7.x and 8.x."""

from tests.compat.servers import redis_admin, redis_server
from tests.worker.conftest import keys, settings
from tests.worker.test_outages import (
    test_a_flushed_or_destroyed_group_is_made_again,
    test_cut_connections_are_made_again,
)
from tests.worker.test_refusals import *
from tests.worker.test_shares import (
    test_one_of_which_no_partition_has_heard_for_a_lease_has_no_share,
    test_the_share_of_one_that_left_is_the_others,
    two,
)
from tests.worker.test_takeover import (
    test_a_lost_entry_cancels_its_work_and_changes_nothing,
    test_abandoned_entries_are_taken_over_after_the_lease,
    test_reclaim_finishes_what_was_abandoned,
    test_what_is_not_finished_in_the_grace_is_released_uncounted,
)
from tests.worker.test_whole_way import *

__all__ = [
    "keys",
    "redis_admin",
    "redis_server",
    "settings",
    "test_a_flushed_or_destroyed_group_is_made_again",
    "test_a_lost_entry_cancels_its_work_and_changes_nothing",
    "test_abandoned_entries_are_taken_over_after_the_lease",
    "test_cut_connections_are_made_again",
    "test_one_of_which_no_partition_has_heard_for_a_lease_has_no_share",
    "test_reclaim_finishes_what_was_abandoned",
    "test_the_share_of_one_that_left_is_the_others",
    "test_what_is_not_finished_in_the_grace_is_released_uncounted",
    "two",
]
