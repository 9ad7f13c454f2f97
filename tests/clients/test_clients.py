"""Stock clients of PostgreSQL, on the server that `warehouse serve` starts."""

import shutil
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import psycopg
import sqlalchemy as sa

from tests.clients.conftest import Server, missing


def psql(bi: Server, *commands: str) -> str:
    client = shutil.which("psql")
    if client is None:
        missing("no psql on this machine")
    options = [word for command in commands for word in ("-c", command)]
    done = subprocess.run(
        [client, bi.dsn, "-X", "-At", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_psql_lists_schemas_and_views_and_describes_them(bi: Server) -> None:
    listed = psql(bi, r"\dn").split()
    assert [line.partition("|")[0] for line in listed if not line.startswith("v0")] == [
        *("affiliate", "core", "home_affiliate", "home_meta", "meta", "public", "store")
    ]
    assert "core|orders|view|warehouse" in psql(bi, r"\dv core.*")
    assert "core|orders|view|warehouse|permanent|0 bytes|One row per order." in psql(
        bi, r"\dv+ core.*"
    )
    described = psql(bi, r"\d+ core.orders").splitlines()
    assert "net_amount|numeric(18,2)||||main|What the order is worth without VAT." in described
    assert "parts|bigint[]||||extended|" in described
    assert psql(bi, r"\dt core.*") == ""


def test_psycopg_gets_types_and_takes_parameters(bi: Server) -> None:
    with psycopg.connect(bi.dsn) as connection:
        found = connection.execute(
            "select order_id, order_date, net_amount, ordered_at, is_counted, parts, note"
            " from core.orders where order_date > %s and net_amount < %s order by 1",
            [date(2011, 1, 2), Decimal("3.75")],
            binary=True,
        ).fetchall()
    assert found == [
        (
            "o2",
            date(2011, 1, 3),
            Decimal("2.50"),
            datetime(2011, 1, 1, 10, tzinfo=UTC),
            True,
            [2, None],
            "é",
        )
    ]


def test_sqlalchemy_reflects_what_there_is_with_its_descriptions(bi: Server) -> None:
    engine = sa.create_engine(bi.dsn.replace("postgresql://", "postgresql+psycopg://"))
    found = sa.inspect(engine)
    assert [name for name in found.get_schema_names() if name in {"core", "meta", "store"}] == [
        *("core", "meta", "store")
    ]
    assert sorted(found.get_view_names("core")) == ["order_lines", "orders"]
    assert found.get_table_comment("orders", "core") == {"text": "One row per order."}
    columns = {column["name"]: column for column in found.get_columns("orders", "core")}
    assert str(columns["net_amount"]["type"]) == "NUMERIC(18, 2)"
    assert columns["net_amount"].get("comment") == "What the order is worth without VAT."
    orders = sa.Table("orders", sa.MetaData(), schema="core", autoload_with=engine)
    with engine.connect() as connection:
        total = connection.execute(sa.select(sa.func.sum(orders.c.net_amount))).scalar_one()
        assert total == Decimal("7.50")
        frame = pd.read_sql("select order_date, net_amount from core.orders", connection)
    assert len(frame) == 3
    engine.dispose()


def test_adbc_reads_arrow(bi: Server) -> None:
    with adbc.connect(bi.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select order_date, is_counted, note from core.orders order by order_id")
        table = cursor.fetch_arrow_table()
    assert table.to_pylist()[0] == {
        "order_date": date(2011, 1, 2),
        "is_counted": False,
        "note": None,
    }
