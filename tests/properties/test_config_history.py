"""Laws of configuration history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clew.snapshot.history import differences, news, rebuilt, state_at
from clew.snapshot.items import Item, Key, Status
from clew.snapshot.json_diff import applied, canonical, changes

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "arn:aws:s3:::x"])
NAMES = st.sampled_from(["Name", "GroupId", "Arn", "Sid", "Value", "x"])
JSON = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=4) | st.dictionaries(NAMES, part, max_size=4), max_leaves=12
)
START = datetime(2026, 3, 10, tzinfo=UTC)
PARTS = st.dictionaries(st.sampled_from(["BucketPolicy", "Acl"]), JSON, max_size=2)


def item(number: int, hour: int, parts: dict[str, object]) -> Item:
    return Item(
        Key("111122223333", "global", "T", f"r{number}"),
        START + timedelta(hours=hour),
        Status.CHANGED,
        configuration={"id": number},
        supplements=parts,
    )


@given(JSON, JSON)
def test_applying_the_differences_gives_the_new_value(old: object, new: object) -> None:
    """Diff then apply = identity, up to the order of lists, which says nothing."""
    assert canonical(applied(old, changes(old, new))) == canonical(new)


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: object) -> None:
    """Nothing differs between equal values."""
    assert not list(changes(value, value))


@given(st.lists(st.dictionaries(st.integers(0, 3), PARTS, max_size=4), min_size=1, max_size=4))
def test_state_follows_from_items(looks: list[dict[int, dict[str, object]]]) -> None:
    """After each look the state is what was seen, and a second equal look adds nothing."""
    known: list[Item] = []
    for hour, look in enumerate(looks):
        seen = [item(number, hour, parts) for number, parts in look.items()]
        time = START + timedelta(hours=hour)
        known += news(state_at(known, time), seen, (EVERYTHING,), time)
        state = state_at(known, time)
        assert {key: rebuilt(each, ()) for key, each in state.items()} == {
            each.key: rebuilt(each, ()) for each in seen
        }
        assert not list(news(state, seen, (EVERYTHING,), time))


@given(PARTS, PARTS)
def test_differences_rebuild_the_later_item(old: dict[str, object], new: dict[str, object]) -> None:
    """The changes between two states turn the earlier item into the later one."""
    before, after = item(0, 0, old), item(0, 1, new)
    found = [each.changes for each in differences({before.key: before}, {after.key: after})]
    assert rebuilt(before, found[0] if found else ()) == rebuilt(after, ())


class _Everything:
    """A look that covers all there is."""

    @staticmethod
    def covers(_: Key) -> bool:
        return True


EVERYTHING = _Everything()
