"""Rejected rows of PostgreSQL are read again: those that fit by now load, under a certificate."""

from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration import quarantine
from orchestration.opening import running
from orchestration.options import Options
from tests.relational_source import Source
from warehouse import config
from warehouse.config import Settings
from warehouse.load import rejected
from warehouse.load.rejected import Selection


def configured(source: Source, home: Path, **more: Any) -> Settings:
    document = {
        "warehouse": {"home": str(home / "var")},
        "load": {"max_quarantined_share": 1.0},
        "sources": {
            "shop": {"kind": "postgres", "dsn": source.dsn, "tables": {"orders": {"key": ["id"]}}}
        },
        "pii_keys": {"k1": "a secret of sixteen letters"},
        **more,
    }
    path = home / "warehouse.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config.load(path)


def decisions(settings: Settings) -> dict[str | None, str]:
    with rejected.reading(settings.state_directory) as file:
        return {entry.row_key: entry.decision for entry in rejected.entries(file, Selection())}


def replayed(settings: Settings) -> tuple[int, int]:
    """Replay all, and return how many rows were superseded and are left."""
    done = quarantine.replay(settings, Selection())
    return sum(table.superseded for table in done), sum(table.open for table in done)


def raw_ids(settings: Settings) -> list[int]:
    with duckdb.connect(str(settings.build_database), read_only=True) as connection:
        rows = connection.execute(
            "SELECT id FROM raw_shop.orders WHERE _deleted_at IS NULL ORDER BY id"
        ).fetchall()
    return [row[0] for row in rows]


def test_rows_repaired_at_the_source_or_by_the_configuration_load_and_others_stay(
    source: Source, tmp_path: Path
) -> None:
    source.run(
        "create table orders (id int, at timestamptz)",
        "insert into orders values (1, '2011-01-01Z'), (2, '294276-12-31Z'),"
        " (3, '294276-12-31Z'), (null, '2011-01-01Z')",
    )
    settings = configured(source, tmp_path)
    with running(settings, Options(interactive=True)) as pipeline:
        (result,) = pipeline.ingest("shop", "main", ["orders"])
    assert (result.record.read_rows, result.record.loaded_rows) == (4, 1)
    assert result.certificate.status == "passed"
    assert decisions(settings) == {"[null]": "open", '["2"]': "open", '["3"]': "open"}
    assert replayed(settings) == (0, 3)
    source.run("update orders set at = '2011-01-02Z' where id = 2")
    assert replayed(settings) == (1, 2)
    assert raw_ids(settings) == [1, 2]
    assert decisions(settings) == {"[null]": "open", '["2"]': "superseded", '["3"]': "open"}
    dropped = configured(source, tmp_path, pii={"shop.orders": {"at": "drop"}})
    assert replayed(dropped) == (2, 0)
    assert raw_ids(dropped) == [1, 2, 3]
    assert replayed(dropped) == (0, 1)  # the row without a key, now without the dropped column


def test_the_last_good_version_of_a_row_that_no_longer_fits_is_marked_deleted(
    source: Source, tmp_path: Path
) -> None:
    source.run(
        "create table orders (id int primary key, at timestamptz)",
        "insert into orders values (1, '2011-01-01Z'), (2, '2011-01-01Z')",
    )
    settings = configured(source, tmp_path)
    for statement in ("select 1", "update orders set at = '294276-12-31Z' where id = 2"):
        source.run(statement)
        with running(settings, Options(interactive=True)) as pipeline:
            (result,) = pipeline.ingest("shop", "main", ["orders"])
            assert result.certificate.status == "passed"
    assert raw_ids(settings) == [1]
    assert decisions(settings) == {'["2"]': "open"}
