"""A rejected row is one entry, however often it comes, until it is decided; none is deleted."""

from datetime import UTC
from typing import Any

import duckdb
import pytest

from extractors.errors import ConfigError, SourceError
from extractors.package import Column, Manifest
from tests.warehouse.conftest import MakePackage
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.load import discards, outbox, quarantine
from warehouse.load import rejected as read_entries
from warehouse.load.package import LoadRules, load_package
from warehouse.publish import status
from warehouse.state import segments

RULES = LoadRules(max_quarantined_share=1.0)
REPLAY = {quarantine.REPLAY: {"by": "ann@host", "why": "columns declared"}}


def rejected(key: str, payload: str = "{}", **more: Any) -> dict[str, Any]:
    row = {"reason": "unfit", "field": "n", "row_key": f'["{key}"]', "payload": payload}
    return row | {"complete": True} | more


def entries(
    connection: duckdb.DuckDBPyConnection, columns: str = "row_key, payload, decision"
) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {columns} FROM meta.quarantine ORDER BY ALL").fetchall()


@pytest.fixture
def load(build: duckdb.DuckDBPyConnection, settings: Settings) -> Any:
    def run(manifest: Manifest) -> Manifest:
        record = load_package(build, settings.landing, manifest, run_id="run", rules=RULES)
        assert record.read_rows == record.loaded_rows + record.quarantined_rows
        return manifest

    return run


def test_a_row_that_every_full_read_rejects_is_one_entry_that_moves_on(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    first, _, last = (
        load(make_package([("a", 1)], to=n, rejected=[rejected("b")])) for n in (1, 2, 3)
    )
    (entry,) = entries(build, "load_id, rows, first_seen_at, last_seen_at, decision")
    seen = [moment.astimezone(UTC) for moment in entry[2:4]]
    assert (entry[:2], seen, entry[4]) == (
        (last.load_id, 1),
        [first.finished_at, last.finished_at],
        "open",
    )


def test_rows_that_differ_in_nothing_are_one_entry_that_counts_them(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    nobody = rejected("", row_key="[null]", reason="key is null")
    load(make_package([("a", 1)], rejected=[nobody, nobody, nobody | {"payload": "other"}]))
    assert entries(build, "row_key, payload, rows") == [("[null]", "other", 1), ("[null]", "{}", 2)]


def test_a_row_that_loads_well_later_supersedes_its_entry(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    load(make_package([("a", 1)], rejected=[rejected("b"), rejected("c"), rejected("d")]))
    second = load(
        make_package([("b", 2, False), ("c", None, True)], mode="incremental", start=1, to=2)
    )
    brought = f"package {second.load_id} brought the row"
    assert entries(build, "row_key, decision, decided_by, why") == [
        ('["b"]', "superseded", "load", brought),
        ('["c"]', "open", None, None),
        ('["d"]', "open", None, None),
    ]


def test_a_newer_version_that_is_rejected_too_supersedes_the_older_entry(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    hidden, nobody = (rejected("", row_key=key) for key in ('["(hmac)"]', "[null]"))
    columns = (Column("id", "VARCHAR", "id", "text"), Column("n", "INTEGER", "n", "int4"))
    load(make_package([("a", 1)], columns=columns, rejected=[rejected("b"), nobody, hidden]))
    load(
        make_package(
            [],
            mode="incremental",
            start=1,
            to=2,
            columns=(Column("id", "VARCHAR", "id", "text", "hmac"), columns[1]),
            rejected=[nobody | {"payload": "new"}, hidden | {"payload": "new"}],
        )
    )
    load(make_package([], mode="incremental", start=2, to=3, rejected=[rejected("b", "new")]))
    # rows whose key is not known may be any
    assert entries(build) == [
        ('["(hmac)"]', "new", "open"),
        ('["(hmac)"]', "{}", "open"),
        ('["b"]', "new", "open"),
        ('["b"]', "{}", "superseded"),
        ("[null]", "new", "open"),
        ("[null]", "{}", "open"),
    ]


def test_a_full_read_supersedes_what_it_no_longer_rejects_and_reopens_what_it_does_again(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    nobody = rejected("", row_key="[null]")
    load(make_package([("a", 1)], rejected=[nobody]))
    load(make_package([("a", 1)], to=2))
    assert entries(build, "decision") == [("superseded",)]
    load(make_package([("a", 1)], to=3, rejected=[nobody]))
    assert entries(build, "decision, decided_at, decided_by, why") == [("open", None, None, None)]


def test_a_discarded_row_stays_discarded_whatever_comes(
    build: duckdb.DuckDBPyConnection, settings: Settings, load: Any, make_package: MakePackage
) -> None:
    load(make_package([("a", 1)], rejected=[rejected("b"), rejected("c")]))
    identity = dict(entries(build, "row_key, quarantine_id"))['["b"]']
    discards.discard(build, [identity[:8]], by="ann@host", why="a test order")
    decided = ("discarded", "ann@host", "a test order")
    assert entries(build, "row_key, decision, decided_by, why") == [
        ('["b"]', *decided),
        ('["c"]', "open", None, None),
    ]
    assert discards.discard(build, [identity], by="bob", why="other") == []
    with segments.exclusive(settings.state_directory):
        outbox.flush(build, settings.state_directory)
    # as after deleting the build database
    build.execute("DELETE FROM meta.quarantine; DELETE FROM meta.quarantine_discards")
    discards.restore(build, settings.state_directory)
    load(make_package([("a", 1)], to=2, rejected=[rejected("b")]))
    assert entries(build, "decision, decided_by, why") == [decided]
    load(make_package([("a", 1), ("b", 1)], to=3))
    assert entries(build, "decision, decided_by, why") == [decided]


def test_only_what_is_open_and_known_can_be_discarded(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    load(make_package([("a", 1)], rejected=[rejected("b")]))
    load(make_package([("a", 1)], to=2))
    ((identity,),) = entries(build, "quarantine_id")
    with pytest.raises(ConfigError, match=f"{identity}: is superseded: the full read"):
        discards.discard(build, [identity], by="ann", why="-")
    with pytest.raises(ConfigError, match="ffff: no rejected row has an ID that begins so"):
        discards.discard(build, ["ffff"], by="ann", why="-")


def test_a_replayed_package_says_by_whom_in_its_entries_and_in_state(
    build: duckdb.DuckDBPyConnection, load: Any, make_package: MakePackage
) -> None:
    load(make_package([("a", 1)], rejected=[rejected("b"), rejected("c")]))
    identity = dict(entries(build, "row_key, quarantine_id"))['["b"]']
    discards.discard(build, [identity], by="bob@host", why="a mistake")
    replayed = load(make_package([("b", 2)], mode="incremental", start=1, to=1, facts=REPLAY))
    assert entries(build, "row_key, decision, decided_by, why") == [
        ('["b"]', "replayed", "ann@host", "columns declared"),
        ('["c"]', "open", None, None),
    ]
    *_, record = [r for r in outbox.pending(build) if r["kind"] == discards.DECISION]
    assert (record["quarantine_ids"], record["load_id"]) == ([identity], replayed.load_id)


def test_what_a_run_leaves_for_reading_commands_is_grouped_and_counts_what_is_open(
    build: duckdb.DuckDBPyConnection, settings: Settings, load: Any, make_package: MakePackage
) -> None:
    twice = [rejected("b"), rejected("b"), rejected("c", reason="no_route", field=None)]
    load(make_package([("a", 1)], rejected=twice))
    identity = dict(entries(build, "row_key, quarantine_id"))['["c"]']
    discards.discard(build, [identity], by="ann@host", why="-")
    status.write_status(build, settings)
    (table,) = status.status(settings)["tables"]
    assert table["quarantined"] == 2
    with read_entries.reading(settings.state_directory) as file:
        unrouted, unfit = read_entries.groups(file, read_entries.Selection(names=("s.t",)))
        (entry,) = read_entries.entries(file, read_entries.Selection(identities=(identity[:6],)))
    assert (unfit.reason, unfit.field, unfit.rows, unfit.example_key) == ("unfit", "n", 2, '["b"]')
    assert (unrouted.reason, unrouted.decision, unrouted.example_id) == (
        "no_route",
        "discarded",
        identity,
    )
    assert (entry.row_key, entry.payload, entry.decided_by) == ('["c"]', "{}", "ann@host")


def test_a_build_database_of_another_version_is_refused_with_what_to_do(
    settings: Settings,
) -> None:
    with duckdb_engine.build_database(settings.build_database) as connection:
        connection.execute("ALTER TABLE meta.quarantine DROP COLUMN decision")
    with (
        pytest.raises(SourceError, match="made by another version .*; delete it: the next run"),
        duckdb_engine.build_database(settings.build_database),
    ):
        pass


@pytest.mark.parametrize(
    ("type_", "source_type", "value", "key"),
    [
        ("BIGINT", "int8", 7, '["7"]'),
        ("BIGINT", "N", 7, '{"id":{"N":"7.0"}}'),
        ("BLOB", "bytea", b"\x00a", r'["\\x0061"]'),
        ("BLOB", "B", b"\x00a", '{"id":{"B":"AGE="}}'),
        ("VARCHAR", "S", "a/b", '{"id":{"S":"a/b"}}'),
        ("VARCHAR", "text", 'a"b', r'["a\"b"]'),
    ],
)
def test_keys_of_every_kind_find_their_row(
    type_: str,
    source_type: str,
    value: Any,
    key: str,
    build: duckdb.DuckDBPyConnection,
    load: Any,
    make_package: MakePackage,
) -> None:
    columns = (Column("id", type_, "id", source_type), Column("n", "INTEGER", "n", "int4"))
    load(make_package([], columns=columns, rejected=[rejected("", row_key=key)]))
    load(make_package([(value, 1)], columns=columns, mode="incremental", start=1, to=2))
    assert entries(build, "decision") == [("superseded",)]
