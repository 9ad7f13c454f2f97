"""Rejected items go through the path of a scan again: nothing is lost, again changes nothing."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import quarantine
from orchestration.opening import running
from orchestration.options import Options
from warehouse import config
from warehouse.config import Settings
from warehouse.load import rejected
from warehouse.load.rejected import Entry, Selection
from warehouse.publish import status
from warehouse.state import segments


class Warehouse:
    """A warehouse that reads DynamoDB tables; `tables` is its configuration of them."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address = home, address

    def settings(self, tables: dict[str, Any], pii: dict[str, Any] | None = None) -> Settings:
        self.home.mkdir(exist_ok=True)
        path = self.home / "warehouse.yml"
        source: dict[str, Any] = {"kind": "dynamodb", "region": "eu-west-2"}
        source |= {"endpoint": self.address, "read_capacity": 5000}
        document = {
            "warehouse": {"home": str(self.home / "var")},
            "load": {"max_quarantined_share": 1.0},
            "sources": {"activity": {**source, "tables": tables}},
            "pii_keys": {"k1": "a secret of sixteen letters"},
            "pii": pii or {},
        }
        path.write_text(json.dumps(document), encoding="utf-8")
        return config.load(path)

    def scan(self, settings: Settings) -> Counter[str]:
        """Scan all tables, and return how many rows changed in what way."""
        done = Counter[str]()
        with running(settings, Options(interactive=True)) as pipeline:
            for result in pipeline.ingest("activity", "main", list(_tables(settings))):
                record = result.record
                assert record.read_rows == record.loaded_rows + record.quarantined_rows
                done["changed"] += record.changed_rows
                done["quarantined"] += record.quarantined_rows
        return +done

    def raw(self, settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
        """Return the live rows of every raw table, without the warehouse's own columns."""
        with duckdb.connect(str(settings.build_database), read_only=True) as connection:
            tables = connection.execute(
                "SELECT table_name, string_agg(column_name, '\",\"' ORDER BY column_name)"
                " FROM duckdb_columns() WHERE schema_name = 'raw_activity' AND column_name NOT IN"
                " ('_load_id', '_loaded_at', '_source_position', '_deleted_at') GROUP BY ALL"
            ).fetchall()
            return {
                name: connection.execute(
                    f'SELECT "{columns}" FROM raw_activity.{name} WHERE _deleted_at IS NULL'
                    " ORDER BY ALL"
                ).fetchall()
                for name, columns in tables
            }


def _tables(settings: Settings) -> list[str]:
    return list(settings.sources["activity"].tables)


def entries(settings: Settings, *decisions: str) -> list[Entry]:
    with rejected.reading(settings.state_directory) as file:
        return rejected.entries(file, Selection(decisions=decisions))


def replay(settings: Settings, *names: str, ids: tuple[str, ...] = ()) -> tuple[int, int, int]:
    """Replay, and return how many rows were replayed, superseded and left."""
    done = quarantine.replay(settings, Selection(names, ids), "repaired")
    return (
        sum(table.replayed for table in done),
        sum(table.superseded for table in done),
        sum(table.open for table in done),
    )


@pytest.fixture
def warehouse(tmp_path: Path, moto: str) -> Warehouse:
    return Warehouse(tmp_path / "one", moto)


def item(key: str, **more: Any) -> dict[str, dict[str, Any]]:
    return {"pk": {"S": key}, "sk": {"S": "-"}, **more}


def test_real_odd_items_make_the_round_trip(
    warehouse: Warehouse,
    moto: str,
    tmp_path: Path,
    table: Callable[..., str],
    shared_data: Path,
) -> None:
    folder = shared_data / "dynamodb_json"
    model = json.loads((folder / "retail_cart_workbench_model.json").read_text())
    carts = model["DataModel"][0]["TableData"]
    catalog, library = (
        [request["PutRequest"]["Item"] for request in json.loads((folder / file).read_text())[name]]
        for file, name in (
            ("ProductCatalog.json", "ProductCatalog"),
            ("batch_write_bookmarks.json", "global-serverless"),
        )
    )
    table(carts, {"CustomerID": "S", "Status#Date": "S"}, "retail-cart")
    table(catalog, {"Id": "N"}, "ProductCatalog")
    table(library, {"PK": "S", "SK": "S"}, "bookmarks")
    books = {"when": {"PK": {"equals": "library"}}, "entity": "books"}
    users = {"when": {"PK": {"begins_with": "user"}}, "entity": "users"}
    odd = warehouse.settings(
        {
            "retail-cart": {"columns": {"Price": "BIGINT"}},
            "ProductCatalog": {"columns": {"ISBN": "BIGINT", "Color": "VARCHAR[]"}},
            "bookmarks": {"route": [books]},
        }
    )
    every = len(carts) + len(catalog) + len(library)
    rejects = warehouse.scan(odd)["quarantined"]
    with_isbn = sum("ISBN" in product for product in catalog)
    bookmarks = sum(one["PK"]["S"] != "library" for one in library)
    assert rejects == len(carts) + with_isbn + bookmarks
    assert warehouse.scan(odd) == {"quarantined": rejects}
    assert len(entries(odd, "open")) == rejects
    assert every == rejects + sum(map(len, warehouse.raw(odd).values()))
    assert replay(odd) == (0, 0, rejects)

    repaired = {
        "retail-cart": {"columns": {"Price": "DECIMAL(10,2)"}},
        "ProductCatalog": {"columns": {"ISBN": "VARCHAR", "Color": "VARCHAR[]"}},
        "bookmarks": {"route": [books, users]},
    }
    settings = warehouse.settings(repaired)
    assert replay(settings) == (rejects, 0, 0)
    raw = warehouse.raw(settings)
    assert sum(map(len, raw.values())) == every
    assert replay(settings) == (0, 0, 0)
    assert warehouse.raw(settings) == raw
    other = Warehouse(tmp_path / "other", moto)
    fresh = other.settings(repaired)
    other.scan(fresh)
    assert other.raw(fresh) == raw
    assert warehouse.scan(settings) == {}

    before = entries(settings)
    settings.build_database.unlink()
    with running(settings, Options(interactive=True)):
        pass
    assert warehouse.raw(settings) == raw
    assert entries(settings) == before
    assert {entry.decision for entry in before} == {"replayed"}
    decided = segments.records(settings.state_directory, "quarantine_decision")
    assert sum(len(record["quarantine_ids"]) for record in decided) == rejects


def test_what_does_not_fit_even_now_stays_one_entry_and_loads_once_it_does(
    warehouse: Warehouse, table: Callable[..., str]
) -> None:
    name = table([item("a", n={"S": "1"}), item("b", n={"S": "2.5"}), item("c", n={"S": "x"})])
    warehouse.scan(warehouse.settings({name: {"columns": {"n": "BOOLEAN"}}}))
    repaired = warehouse.settings({name: {"columns": {"n": "DECIMAL(4,1)"}}})
    assert replay(repaired, "activity") == (2, 0, 1)
    assert replay(repaired, "activity") == (0, 0, 1)
    (left,) = entries(repaired, "open")
    assert json.loads(left.payload) == item("c", n={"S": "x"})
    (position,) = status.status(repaired)["tables"]
    assert (position["rows"], position["quarantined"]) == (2, 1)
    assert warehouse.scan(repaired) == {"quarantined": 1}
    assert [entry.quarantine_id for entry in entries(repaired, "open")] == [left.quarantine_id]


def test_an_item_without_its_personal_attributes_waits_for_the_next_scan(
    warehouse: Warehouse, table: Callable[..., str]
) -> None:
    name = table([item("a", n={"S": "1"}, email={"S": "ann@example.org"}), item("b", n={"S": "2"})])
    pii = {f"activity.{name}": {"email": "hmac"}}
    warehouse.scan(warehouse.settings({name: {"columns": {"n": "BOOLEAN"}}}, pii))
    # not even where the rule is withdrawn may the attribute be taken for missing
    repaired = warehouse.settings({name: {"columns": {"n": "BIGINT"}}})
    (done,) = quarantine.replay(repaired, Selection())
    assert (done.replayed, done.open) == (1, 1)
    assert done.advice is not None
    assert done.advice.startswith("personal attributes were left out of what was kept")
    assert warehouse.scan(repaired) == {"changed": 1}
    assert {entry.decision for entry in entries(repaired)} == {"replayed", "superseded"}


def test_a_newer_version_is_never_overwritten_by_what_was_rejected_before(
    warehouse: Warehouse, table: Callable[..., str], client: Any
) -> None:
    name = table([item("a", n={"S": "1"}), item("b", n={"S": "2"}), item("c", n={"S": "3"})])
    strict = warehouse.settings({name: {"columns": {"n": "BOOLEAN"}}})
    warehouse.scan(strict)
    identities = {json.loads(e.row_key or "")["pk"]["S"]: e.quarantine_id for e in entries(strict)}
    quarantine.discard(strict, list(identities.values()), "not wanted")
    client.put_item(TableName=name, Item=item("a", n={"S": "true"}))
    client.delete_item(TableName=name, Key=item("b"))
    warehouse.scan(strict)
    raw = warehouse.raw(strict)
    assert replay(strict, "activity") == (0, 0, 0)  # a discarded one only by its ID
    assert replay(strict, ids=(identities["a"], identities["b"])) == (0, 1, 1)
    assert warehouse.raw(strict) == raw
    loose = warehouse.settings({name: {"columns": {"n": "VARCHAR"}}})
    assert replay(loose, ids=(identities["c"],)) == (1, 0, 0)
    assert [row[-1] for row in warehouse.raw(loose)[name.replace("-", "_")]] == ["-", "-"]
