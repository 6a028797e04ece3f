"""The ledger: what it finds, what it keeps, when it cannot decide."""

from hypothesis import given
from hypothesis import strategies as st

from service.ledger import KEEP, MAX_APPENDED, MAX_PAGES, Ledger, item, items, trim

ID, CONTENT = b"i" * 16, b"c" * 4


def test_a_job_is_judged_by_id_content_and_age() -> None:
    ledger = Ledger.of([item(ID, CONTENT, 5)], floor_ms=10)
    assert ledger.judge(item(ID, CONTENT, 50)) == "applied"
    assert ledger.judge(item(ID, CONTENT, 5)) == "applied"
    assert ledger.judge(item(ID, b"d" * 4, 50)) == "id_reuse"
    assert ledger.judge(item(b"j" * 16, CONTENT, 11)) == "new"
    assert ledger.judge(item(b"j" * 16, CONTENT, 10)) == "undecidable"


def test_bytes_that_belong_to_two_items_are_no_id() -> None:
    """The end of one item and the start of the next look like an id; one that is both there and further on is found."""
    one, other = item(b"a" * 16, b"bbbb", 7), item(b"c" * 16, b"dddd", 7)
    across = (one + other)[16:32]
    ledger = Ledger.of([one + other])
    assert ledger.judge(item(across, CONTENT, 1)) == "new"
    assert Ledger.of([one + other, item(across, CONTENT, 1)]).judge(item(across, CONTENT, 1)) == "applied"


@given(st.lists(st.integers(1, 200), max_size=40))
def test_every_job_is_found_however_it_was_appended(batches: list[int]) -> None:
    """Commits append pages while there is room; else all become one page, and none of the last 1,000 is lost."""
    pages: list[bytes] = []
    count = 0
    for batch in batches:
        applied = [_numbered(number) for number in range(count, count + batch)]
        count += batch
        known = Ledger.of(pages)
        pages = [*pages, b"".join(applied)] if known.has_room(batch) else [trim([*pages, *applied], 2**48)[0]]
        assert len(pages) <= MAX_PAGES
    ledger = Ledger.of(pages)
    assert ledger.size <= KEEP + MAX_APPENDED + 200
    assert items(pages) == [_numbered(number) for number in range(count - ledger.size, count)]
    newest = range(max(0, count - KEEP), count)
    assert all(ledger.judge(item(number.to_bytes(16, "big"), CONTENT, 1)) == "applied" for number in newest)
    assert ledger.judge(item(count.to_bytes(16, "big"), CONTENT, 1)) == "new"


def _numbered(number: int) -> bytes:
    return item(number.to_bytes(16, "big"), CONTENT, number)


@given(st.lists(st.integers(0, 2**48 - 1), max_size=60), st.integers(0, 2**48 - 1), st.integers(1, 20), st.data())
def test_what_could_be_delivered_again_is_found_or_undecidable(
    times: list[int], oldest: int, keep: int, data: st.DataObject
) -> None:
    limit = data.draw(st.integers(keep, 60))
    recorded = [item(number.to_bytes(16, "big"), CONTENT, ms) for number, ms in enumerate(times)]
    page, floor = trim(recorded, oldest, keep=keep, limit=limit)
    kept = items([page])
    assert kept == [one for one in recorded if one in set(kept)]
    assert len(kept) <= max(limit, keep)
    assert recorded[-keep:] == kept[-keep:] or not recorded
    ledger = Ledger.of([page], floor)
    for number, ms in enumerate(times):
        if ms >= oldest:
            assert ledger.judge(item(number.to_bytes(16, "big"), CONTENT, ms)) in ("applied", "undecidable")
