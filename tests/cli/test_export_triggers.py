"""What `export triggers` prints, and says where it writes nothing."""

import json

from tests.cli.command import Command
from tests.warehouse.export.test_triggers import TABLE, TWO, rows
from tests.warehouse.ledger.office import Office

TO = ("export", "triggers", "--to")


def test_where_nothing_new_is_due_the_last_batch_is_named(warehouse: Command) -> None:
    office = Office(warehouse.directory)
    office.clock("2026-06-01T09:00")
    office.publish("2026-06-01", sql=TABLE)
    assert warehouse(*TO, "a.jsonl").stdout == ("nothing is due in v000001; no file is written\n")
    office.publish("2026-06-01", sql=rows(*TWO))
    written = warehouse(*TO, "a.jsonl")
    assert written.stdout == "batch 1: 2 triggers of v000002 written to a.jsonl\n", written.stderr
    assert warehouse(*TO, "b.jsonl").stdout == (
        "nothing new is due in v000002; 2 of batch 1 are handed out; `--again 1` writes the file"
        " again\n"
    )
    told = json.loads(warehouse(*TO, "b.jsonl", "--json").stdout)
    assert (told["batch"], told["last_batch"], told["last_triggers"]) == (None, 1, 2)
    assert not (warehouse.directory / "b.jsonl").exists()
    assert "triggers.json: the file must end in .jsonl" in warehouse.fails(2, *TO, "triggers.json")


def test_a_customer_is_forgotten(warehouse: Command) -> None:
    office = Office(warehouse.directory)
    office.clock("2026-06-01T09:00")
    office.publish("2026-06-01", sql=rows(*TWO))
    forget = ("export", "forget", "--customer", "c1")
    nobody = "no batch names customer {}: nothing was erased\n"
    assert warehouse(*forget).stdout == nobody.format("c1")
    warehouse(*TO, "a.jsonl")
    assert warehouse("export", "forget", "--customer", "C1").stdout == nobody.format("C1")
    assert warehouse(*forget).stdout == "triggers erased: 1; batches changed: 1\n"
    assert warehouse(*forget).stdout == nobody.format("c1")
    assert json.loads(warehouse(*forget, "--json").stdout) == {"triggers": 0, "batches": 0}
    assert len((warehouse.directory / "a.jsonl").read_text().splitlines()) == 2
    assert warehouse(*TO, "b.jsonl", "--again", "1").stdout == (
        "batch 1, recorded before: 1 triggers of v000001 written to b.jsonl\n"
    )
