"""The hour in a minute: at every stage probes, metrics, log and history say what happened."""

import pytest

from tests.observability.hour import STAGES, play


@pytest.mark.timeout(300)
def test_the_hour() -> None:
    assert [name for name, _, _ in play()] == [stage.__name__ for stage in STAGES]
