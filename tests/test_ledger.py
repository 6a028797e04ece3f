"""The ledger: what it finds, what it keeps, when it cannot decide."""

from hypothesis import given
from hypothesis import strategies as st

from service.ledger import Ledger, item, trim

ID, CONTENT = b"i" * 16, b"c" * 4


def test_a_job_is_judged_by_id_content_and_age() -> None:
    ledger = Ledger.of([item(ID, CONTENT, 5)], 1, floor_ms=10)
    assert ledger.judge(ID, CONTENT, 50) == "applied"
    assert ledger.judge(ID, CONTENT, 5) == "applied"
    assert ledger.judge(ID, b"d" * 4, 50) == "id_reuse"
    assert ledger.judge(b"j" * 16, CONTENT, 11) == "new"
    assert ledger.judge(b"j" * 16, CONTENT, 10) == "undecidable"


@given(st.lists(st.integers(0, 2**48 - 1), max_size=60), st.integers(0, 2**48 - 1), st.integers(1, 20), st.data())
def test_what_could_be_delivered_again_is_found_or_undecidable(
    times: list[int], oldest: int, keep: int, data: st.DataObject
) -> None:
    limit = data.draw(st.integers(keep, 60))
    items = [item(number.to_bytes(16, "big"), CONTENT, ms) for number, ms in enumerate(times)]
    kept, floor = trim(items, oldest, keep=keep, limit=limit)
    assert kept == [entry for entry in items if entry in set(kept)]
    assert len(kept) <= max(limit, keep)
    assert items[-keep:] == kept[-keep:] or not items
    ledger = Ledger.of(kept, len(kept), floor)
    for number, ms in enumerate(times):
        if ms >= oldest:
            assert ledger.judge(number.to_bytes(16, "big"), CONTENT, ms) in ("applied", "undecidable")
