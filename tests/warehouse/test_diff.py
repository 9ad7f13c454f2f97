"""Two versions are compared by key: rows, amounts, columns."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.engines import duckdb_diff
from warehouse.engines.differences import Amount, Cell, Columns, Retyped, Row, TableDiff
from warehouse.publish import publication
from warehouse.publish.diff import MartDiff, diff

Publish = Callable[..., str]


@pytest.fixture
def publish(build: duckdb.DuckDBPyConnection, settings: Settings) -> Publish:
    """Return a function that publishes core.lines as a query says, with a key."""

    def publish_lines(query: str, key: Sequence[str] = ("id",), name: str = "lines") -> str:
        build.execute("CREATE SCHEMA IF NOT EXISTS core")
        build.execute(f"CREATE OR REPLACE TABLE core.{name} AS {query}")
        return publication.publish(
            build,
            settings,
            run_id="run",
            as_of=datetime(2026, 1, 1, tzinfo=UTC),
            fingerprint=query,
            next_due_at=None,
            sources_of={},
            unmatched={},
            keys={("core", name): key} if key else {},
        ).version

    return publish_lines


def lines(rows: str) -> str:
    return (
        "SELECT id, note, n, amount::DECIMAL(18,4) AS amount, 'load' AS _load_id"
        f" FROM (VALUES {rows}) AS rows(id, note, n, amount)"
    )


def test_rows_amounts_and_where_a_change_comes_from(publish: Publish, settings: Settings) -> None:
    a = publish(lines("(1, 'as it is', 1, 10), (2, 'goes', 2, 20.5), (3, 'changes', 3, 30)"))
    b = publish(lines("(1, 'as it is', 1, 10), (3, NULL, 3, 29.9999), (4, 'comes', 4, 0.01)"))
    (found,) = diff(settings, a, b, "core.lines", shown_rows=10)
    assert found == MartDiff(
        "core.lines",
        "different",
        3,
        3,
        TableDiff(
            key=("id",),
            rows_a=3,
            rows_b=3,
            added=1,
            removed=1,
            changed=1,
            changed_columns={"note": 1, "amount": 1},
            amounts=(
                Amount("n", 6, 8, 2, by_added=4, by_removed=-2, by_changed=0),
                Amount(
                    "amount",
                    Decimal("60.5000"),
                    Decimal("40.0099"),
                    Decimal("-20.4901"),
                    by_added=Decimal("0.0100"),
                    by_removed=Decimal("-20.5000"),
                    by_changed=Decimal("-0.0001"),
                ),
            ),
            columns=Columns(),
            rows=(
                Row(
                    "removed",
                    {"id": "2"},
                    {
                        "note": Cell("goes", None),
                        "n": Cell("2", None),
                        "amount": Cell("20.5000", None),
                    },
                ),
                Row(
                    "changed",
                    {"id": "3"},
                    {"note": Cell("changes", None), "amount": Cell("30.0000", "29.9999")},
                ),
                Row(
                    "added",
                    {"id": "4"},
                    {
                        "note": Cell(None, "comes"),
                        "n": Cell(None, "4"),
                        "amount": Cell(None, "0.0100"),
                    },
                ),
            ),
        ),
    )
    (back,) = diff(settings, b, a)
    assert back.difference is not None
    assert [amount.change for amount in back.difference.amounts] == [-2, Decimal("20.4901")]
    assert back.difference.rows == ()


def test_marts_of_equal_content_are_not_read_and_a_version_equals_itself(
    publish: Publish, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = publish(lines("(1, 'x', 1, 1)"))
    b = publish(lines("(1, 'x', 1, 1)").replace("'load'", "'another'"))

    def compared(*_: object) -> None:
        raise AssertionError("equal content hashes were compared")

    monkeypatch.setattr(duckdb_diff, "compare", compared)
    assert diff(settings, a, b) == [MartDiff("core.lines", "identical", 1, 1)]
    assert diff(settings, b, b) == [MartDiff("core.lines", "identical", 1, 1)]


def test_a_file_that_state_has_no_hashes_of_is_compared_by_its_rows(
    publish: Publish, settings: Settings
) -> None:
    a = publish(lines("(1, 'x', 1, 1), (2, 'y', 1, 1)"))
    b = publish(lines("(2, 'y', 1, 2)"))
    shutil.copy(
        settings.published_directory / f"{a}.duckdb", settings.published_directory / "side.duckdb"
    )
    assert diff(settings, a, "side") == [MartDiff("core.lines", "identical", 2, 2)]
    (found,) = diff(settings, "side", b)
    assert found.difference is not None
    assert (found.difference.removed, found.difference.changed) == (1, 1)


@pytest.mark.parametrize("key", [(), ("id",), ("gone",)])
def test_rows_without_a_key_that_tells_them_apart_are_compared_whole(
    key: Sequence[str], publish: Publish, settings: Settings
) -> None:
    a = publish(lines("(1, 'x', 1, 2), (1, 'x', 1, 2), (1, 'y', 1, 3), (NULL, 'z', 1, 4)"), key)
    b = publish(lines("(1, 'x', 1, 2), (1, 'v', 1, 5), (NULL, 'z', 1, 4)"), key)
    (found,) = diff(settings, a, b, shown_rows=2)
    difference = found.difference
    assert difference is not None
    assert (difference.key, difference.added, difference.removed, difference.changed) == (
        (),
        1,
        2,
        0,
    )
    assert difference.amounts[-1] == Amount(
        "amount", Decimal(11), Decimal(11), Decimal(0), Decimal(5), Decimal(-5), Decimal(0)
    )
    assert [(row.change, row.key, len(row.values)) for row in difference.rows] == [
        ("added", {}, 4),
        ("removed", {}, 4),
    ]


def test_columns_that_only_one_version_has_and_other_types_are_named(
    publish: Publish, settings: Settings
) -> None:
    a = publish("SELECT 1 AS id, 2::INTEGER AS n, 'x' AS was, 5 AS code, 1.5::DECIMAL(9,1) AS m")
    b = publish("SELECT 1 AS id, 2::BIGINT AS n, 'x' AS new, '5' AS code, 1.5::DECIMAL(9,2) AS m")
    (found,) = diff(settings, a, b)
    assert found.difference is not None
    assert found.difference.columns == Columns(
        ("was",),
        ("new",),
        (
            Retyped("n", "INTEGER", "BIGINT"),
            Retyped("code", "INTEGER", "VARCHAR"),
            Retyped("m", "DECIMAL(9,1)", "DECIMAL(9,2)"),
        ),
    )
    assert (found.difference.changed, found.status) == (0, "different")


def test_a_mart_that_only_one_version_has_is_named(
    build: duckdb.DuckDBPyConnection, publish: Publish, settings: Settings
) -> None:
    a = publish(lines("(1, 'x', 1, 1)"))
    build.execute("DROP TABLE core.lines")
    b = publish("SELECT 1 AS day FROM range(3)", name="days")
    assert diff(settings, a, b) == [
        MartDiff("core.days", "only_in_b", 0, 3),
        MartDiff("core.lines", "only_in_a", 1, 0),
    ]


def test_doubles_that_a_content_hash_does_not_tell_apart_are_equal(
    publish: Publish, settings: Settings
) -> None:
    a = publish("SELECT 1 AS id, 0.1::DOUBLE + 0.2 AS x, 1 AS n")
    b = publish("SELECT 1 AS id, 0.3::DOUBLE AS x, 2 AS n")
    (found,) = diff(settings, a, b)
    assert found.difference is not None
    assert found.difference.changed_columns == {"n": 1}


def test_what_does_not_exist_is_named_with_what_does(publish: Publish, settings: Settings) -> None:
    a = publish(lines("(1, 'x', 1, 1)"))
    with pytest.raises(ConfigError, match="version v000009 does not exist; there are v000001"):
        diff(settings, a, "v000009")
    with pytest.raises(ConfigError, match=r"version \.\./x does not exist"):
        diff(settings, "../x", a)
    with pytest.raises(ConfigError, match="has a mart core.prices; there are core.lines"):
        diff(settings, a, a, "core.prices")


Lines = dict[int, tuple[str | None, int | None, Decimal]]
cells = st.tuples(
    st.none() | st.sampled_from(["", "x", "y"]),
    st.none() | st.integers(-3, 3),
    st.decimals(-99, 99, places=2),
)
many_lines = st.dictionaries(st.integers(0, 12), cells, max_size=10)


@hypothesis_settings(max_examples=60, deadline=None)
@given(a=many_lines, b=many_lines)
def test_any_two_tables_are_compared_as_dictionaries_are(a: Lines, b: Lines) -> None:
    with duckdb.connect() as connection:
        for name, rows in (("a", a), ("b", b)):
            connection.execute(f"ATTACH ':memory:' AS {name}; CREATE SCHEMA {name}.core")
            connection.execute(
                f"CREATE TABLE {name}.core.t (id BIGINT, note VARCHAR, n INTEGER, m DECIMAL(9,2))"
            )
            for identity, row in rows.items():
                connection.execute(
                    f"INSERT INTO {name}.core.t VALUES (?, ?, ?, ?)", [identity, *row]
                )
        types = duckdb_diff.columns_of(connection, "a")["core", "t"]
        by_key, whole = (
            duckdb_diff.compare(connection, ("core", "t"), types, types, key, shown_rows=100)
            for key in (["id"], [])
        )
    changed = {identity for identity in a.keys() & b.keys() if a[identity] != b[identity]}
    assert (by_key.added, by_key.removed, by_key.changed) == (
        len(b.keys() - a.keys()),
        len(a.keys() - b.keys()),
        len(changed),
    )
    total_a, total_b = (sum((row[2] for row in rows.values()), Decimal(0)) for rows in (a, b))
    added = sum((b[identity][2] for identity in b.keys() - a.keys()), Decimal(0))
    removed = sum((a[identity][2] for identity in a.keys() - b.keys()), Decimal(0))
    assert by_key.amounts[-1] == Amount(
        "m",
        total_a,
        total_b,
        total_b - total_a,
        added,
        -removed,
        sum((b[identity][2] - a[identity][2] for identity in changed), Decimal(0)),
    )
    assert {(row.change, row.key["id"]) for row in by_key.rows} == {
        *(("changed", str(identity)) for identity in changed),
        *(("added", str(identity)) for identity in b.keys() - a.keys()),
        *(("removed", str(identity)) for identity in a.keys() - b.keys()),
    }
    assert (whole.added, whole.removed) == (
        by_key.added + by_key.changed,
        by_key.removed + by_key.changed,
    )
    assert replace(whole.amounts[-1], by_added=0, by_removed=0, by_changed=0) == replace(
        by_key.amounts[-1], by_added=0, by_removed=0, by_changed=0
    )
