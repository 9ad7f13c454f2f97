"""Readers of a table see the old set or the new one, whatever is killed, and nothing stays."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.errors import ConfigError
from tests.warehouse.export.reading_sets import KilledError, MemoryTable
from warehouse.export import claims, sets, write_back
from warehouse.export.items import Value, attribute, entries
from warehouse.export.write_back import Facts, Written

KEYS = tuple(f"p {n}\n'\"ä" for n in range(6))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FACTS = Facts("related", "product_id", "v000001", NOON)

Lists = Mapping[str, int]


def value_of(number: int) -> Value:
    return {"L": [{"M": {"rank": attribute(1), "score": attribute(number)}}]}


def export(table: MemoryTable, lists: Lists, home: Path, hour: int = 0, grace: int = 1) -> Written:
    def contents() -> list[tuple[str, Value]]:
        return [(key, value_of(lists[key])) for key in sorted(lists)]

    return write_back.write_back(
        table,
        FACTS,
        lambda: iter(contents()),
        home=home,
        grace=timedelta(hours=grace),
        now=lambda: NOON + timedelta(hours=hour),
    )


def expected(lists: Lists) -> dict[str, Value]:
    return {key: value_of(number) for key, number in lists.items()}


def kept_lists(table: MemoryTable) -> list[tuple[str, int]]:
    return sorted(place for place in table.items if place[0].startswith("related#"))


def test_only_what_changed_is_written_beside_the_older_items(tmp_path: Path) -> None:
    table = MemoryTable()
    first = export(table, {"a": 1, "b": 1, "c": 1}, tmp_path)
    second = export(table, {"a": 1, "b": 2, "d": 1}, tmp_path)

    assert (first.set, first.changed, first.removed) == (1, 3, 0)
    assert (second.set, second.changed, second.removed) == (2, 2, 1)
    assert table.seen("related", "abcd") == expected({"a": 1, "b": 2, "d": 1})
    assert kept_lists(table) == [
        ("related#a", 1), ("related#b", 1), ("related#b", 2),
        ("related#c", 1), ("related#c", 2), ("related#d", 2),
    ]  # fmt: skip


def test_the_same_lists_change_no_list_and_no_pointer(tmp_path: Path) -> None:
    table = MemoryTable()
    export(table, {"a": 1}, tmp_path)
    pointer = table.get("set#related", 0)

    again = export(table, {"a": 1}, tmp_path)

    assert (again.set, again.changed, again.removed, again.write_units) == (1, 0, 0, 0)
    assert table.get("set#related", 0) == pointer


def test_superseded_items_go_when_nobody_can_want_them(tmp_path: Path) -> None:
    table = MemoryTable()
    export(table, {"a": 1, "c": 1}, tmp_path)
    export(table, {"a": 2}, tmp_path, hour=1)
    export(table, {"a": 2}, tmp_path, hour=1)
    assert kept_lists(table) == [
        ("related#a", 1), ("related#a", 2), ("related#c", 1), ("related#c", 2)
    ]  # fmt: skip

    done = export(table, {"a": 2}, tmp_path, hour=2)

    assert done.collected > 0
    assert kept_lists(table) == [("related#a", 2)]
    assert sorted(pk for pk, _ in table.items) == [
        "book#related", "claim#related", "manifest#related#0", "related#a", "set#related"
    ]  # fmt: skip


def test_a_removed_list_comes_back(tmp_path: Path) -> None:
    table = MemoryTable()
    for hour, lists in enumerate([{"a": 1, "b": 1}, {"a": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 1}]):
        export(table, lists, tmp_path, hour=hour)
        assert table.seen("related", "ab") == expected(lists)


def test_a_killed_export_is_gone_on_with_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_back, "CHECKPOINT", 10)
    table, lists = MemoryTable(), {f"{n:03}": n for n in range(100)}
    table.left = 75
    with pytest.raises(KilledError):
        export(table, lists, tmp_path)
    assert table.seen("related", list(lists)) == {}
    table.left, table.writes = None, 0

    done = export(table, lists, tmp_path)

    assert done.set == 1
    assert done.resumed_after == 60
    assert table.writes < 75
    assert table.seen("related", list(lists)) == expected(lists)


def test_what_a_killed_export_of_other_lists_wrote_is_never_seen(tmp_path: Path) -> None:
    table = MemoryTable()
    old, killed, new = {"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2, "d": 2}, {"a": 1, "b": 3, "c": 1}
    export(table, old, tmp_path)
    table.left = 8
    with pytest.raises(KilledError):
        export(table, killed, tmp_path)
    assert ("related#a", 2) in table.items
    table.left = None

    done = export(table, new, tmp_path)

    assert done.set == 3
    assert table.seen("related", "abcd") == expected(new)


lists_of_keys = st.dictionaries(st.sampled_from(KEYS), st.integers(1, 3), max_size=len(KEYS))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(lists_of_keys, st.none() | st.integers(0, 40), st.integers(0, 2)),
        min_size=1,
        max_size=8,
    )
)
def test_readers_see_a_whole_set_whatever_is_killed_and_nothing_is_left(
    steps: Sequence[tuple[Lists, int | None, int]],
) -> None:
    """Kills come between any two items of a batch; the hour moves on, so collections run too."""
    table, seen, hour = MemoryTable(), {}, 0
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_back, "CHECKPOINT", 3)
        patch.setattr(write_back, "BATCH", 2)
        patch.setattr(write_back, "THREADS", 1)
        patch.setattr(sets, "CHUNK", 60)
        patch.setattr(sets, "MANIFEST_CHUNK", 120)
        for lists, left, hours in steps:
            table.left, hour = left, hour + hours
            before = seen
            try:
                export(table, lists, Path(folder), hour)
                seen = expected(lists)
            except KilledError:
                seen = table.seen("related", KEYS)
                assert seen in (before, expected(lists))
            assert table.seen("related", KEYS) == seen
        table.left = None
        for later in (0, 1, 2):
            export(table, {"end": 9}, Path(folder), hour + later)
        assert table.seen("related", [*KEYS, "end"]) == expected({"end": 9})
        assert {pk for pk, _ in table.items if "manifest" not in pk} == {
            "book#related", "claim#related", "related#end", "set#related"
        }  # fmt: skip
        assert len(table.items) == 5


def test_two_exports_of_one_home_do_not_write_at_once(tmp_path: Path) -> None:
    table = MemoryTable()
    with (
        claims.held(table, "related", tmp_path),
        pytest.raises(ConfigError, match="an export of this home is at work"),
    ):
        export(table, {"a": 1}, tmp_path)


def test_an_export_elsewhere_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    table = MemoryTable()
    with claims.held(table, "related", tmp_path / "theirs") as theirs:

        def sleep(seconds: float) -> None:
            assert seconds > 0
            theirs.update()

        with (
            pytest.raises(ConfigError, match="theirs is at work"),
            claims.held(table, "related", tmp_path / "ours", sleep),
        ):
            pass


def test_an_export_elsewhere_that_went_silent_loses_its_claim(tmp_path: Path) -> None:
    table, waited = MemoryTable(), []
    theirs = claims.held(table, "related", tmp_path / "theirs")
    theirs.__enter__()
    with claims.held(table, "related", tmp_path / "ours", waited.append):
        assert sum(waited) == claims.SILENCE
    with pytest.raises(claims.LostClaimError):
        theirs.__exit__(None, None, None)


def test_a_price_is_told_and_nothing_written(tmp_path: Path) -> None:
    table = MemoryTable()
    export(table, {"a": 1, "b": 1}, tmp_path)
    table.left = 0

    price = write_back.price(table, FACTS, lambda: iter([("a", value_of(2)), ("b", value_of(1))]))

    assert (price.set, price.lists, price.changed, price.removed) == (1, 2, 1, 0)
    assert price.write_units == 2  # the list, and its part of the manifest


@pytest.mark.parametrize("value", [1e126, -1e300, 10**39 + 1, Decimal("NaN"), float("inf")])
def test_a_number_that_dynamodb_refuses_is_named_by_list_and_column(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"product_id 'p1': score is .* no number that DynamoDB"):
        entries(("product_id", "rank", "score"), [("p1", 1, value)])


def test_a_number_is_held_by_its_digits_and_one_next_to_nothing_as_nothing() -> None:
    held = [attribute(value)["N"] for value in (10**37, 10**40, Decimal("0.10"), 0.1, 1e-131, 0.0)]
    assert held == [f"1{37 * '0'}", f"1{40 * '0'}", "0.10", "0.1", "0", "0"]
