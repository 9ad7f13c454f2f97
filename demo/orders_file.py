"""Read Online Retail lines from Parquet, CSV or XLSX into one exact form, in file order."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from extractors.errors import ConfigError
from extractors.naming import literal, quoted

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
ACCEPTED = "Online Retail as Parquet, CSV (also .gz) or XLSX"

# column -> (expression over its text, what a value has to be). Prices go through six places so
# that one with more than three is refused, not rounded. CustomerID is 17850.0 in some copies.
PARSED = {
    "InvoiceNo": (r"nullif(regexp_replace({}, '\.0+$', ''), '')", "a document number"),
    "StockCode": ("nullif({}, '')", "a product code"),
    "Quantity": (
        (
            "case when try_cast({0} as decimal(18,6)) = try_cast({0} as integer)"
            " then try_cast({0} as integer) end"
        ),
        "a whole number",
    ),
    "InvoiceDate": (
        (
            "coalesce(try_cast({0} as timestamp),"
            " try_strptime({0}, ['%m/%d/%y %H:%M', '%m/%d/%Y %H:%M']))"
        ),
        "a time such as 2010-12-01 08:26:00 or 12/1/2010 8:26",
    ),
    "UnitPrice": (
        (
            "case when try_cast({0} as decimal(18,6)) = try_cast({0} as decimal(12,3))"
            " then try_cast({0} as decimal(12,3)) end"
        ),
        "an amount with at most 3 decimals",
    ),
}
NAMES = {
    "InvoiceNo": "invoice_no",
    "StockCode": "stock_code",
    "Description": "description",
    "Quantity": "quantity",
    "InvoiceDate": "invoiced_at",
    "UnitPrice": "unit_price",
    "CustomerID": "customer_id",
    "Country": "country",
}


def read_lines(path: Path) -> pa.Table:
    """Return the file's lines: snake_case names, exact prices, London wall-clock times."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a file of {ACCEPTED}") from error
    reader: Callable[[Path], pa.Table] = _read_csv
    if magic == b"PAR1":
        reader = _read_parquet
    elif magic == b"PK\x03\x04":
        reader = _read_xlsx
    try:
        table = reader(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{path}: not {ACCEPTED} ({reason})") from error
    missing = [column for column in COLUMNS if column not in table.column_names]
    if missing:
        raise ConfigError(f"{path}: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    if table.num_rows == 0:
        raise ConfigError(f"{path}: no lines in it; give a file of {ACCEPTED}")
    return _parsed(path, table.select(list(COLUMNS)))


def _read_parquet(path: Path) -> pa.Table:
    return parquet.read_table(path)


def _read_csv(path: Path) -> pa.Table:
    """Read as text; the public copies are UTF-8 or Latin-1, and only one of them can be UTF-8."""
    for encoding in ("utf8", "latin-1"):
        try:
            return csv.read_csv(
                path,
                read_options=csv.ReadOptions(encoding=encoding, use_threads=False),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(COLUMNS, pa.string()),
                    strings_can_be_null=True,
                    null_values=[""],
                    check_utf8=True,
                ),
            )
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise
    raise ConfigError(f"{path}: neither UTF-8 nor Latin-1 text; give a file of {ACCEPTED}")


def _read_xlsx(path: Path) -> pa.Table:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        message = f"{path}: reading XLSX needs the extra `demo` (python-calamine)"
        raise ConfigError(f"{message}; run make setup") from error
    try:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    except CalamineError as error:
        raise ConfigError(f"{path}: not {ACCEPTED} ({error})") from error
    names = [str(name) for name in rows[0]] if rows else []
    columns = [[_cell_text(row[index]) for row in rows[1:]] for index in range(len(names))]
    return pa.table([pa.array(column, pa.string()) for column in columns], names=names)


def _cell_text(value: Any) -> str | None:
    """Return a cell as text: the sheet stores codes and document numbers as 71053.0."""
    if value is None or value == "":
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        # A sheet's time is a fraction of a day, exact to some microseconds only.
        rounded = value + timedelta(milliseconds=500)
        return rounded.replace(microsecond=0).isoformat(sep=" ")
    return str(value)


def _parsed(path: Path, table: pa.Table) -> pa.Table:
    connection = duckdb.connect()
    # Rows are numbered before anything else: everything later depends on the file's order.
    numbers = pa.array(np.arange(1, table.num_rows + 1))
    connection.register("given", table.append_column("row", numbers))
    texts = ", ".join(f"cast({quoted(c)} as varchar) as {quoted(c)}" for c in COLUMNS)
    connection.execute(f'create table texts as select {texts}, "row" from given')
    outputs: list[str] = []
    for column, name in NAMES.items():
        expression, wanted = PARSED.get(column, ("{}", ""))
        if column == "CustomerID":
            expression = PARSED["InvoiceNo"][0]
        outputs.append(f"{expression.format(quoted(column))} as {quoted(name)}")
        if wanted:
            _refuse_unparsed(connection, path, column, expression.format(quoted(column)), wanted)
    return connection.sql(f'select {", ".join(outputs)} from texts order by "row"').to_arrow_table()


def _refuse_unparsed(
    connection: duckdb.DuckDBPyConnection, path: Path, column: str, parsed: str, wanted: str
) -> None:
    bad = connection.execute(
        f'select "row", {quoted(column)} from texts where {parsed} is null order by 1 limit 1'
    ).fetchone()
    if bad is not None:
        given = "empty" if bad[1] is None else literal(str(bad[1]))
        raise ConfigError(
            f"{path}: row {bad[0]}: {column} is {given}, not {wanted}; correct the file"
        )
