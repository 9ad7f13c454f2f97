"""Read the public e-shop clickstream as items of `shop_activity`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

from demo.orders import utc
from extractors.errors import ConfigError

PRODUCT = "page 2 (clothing model)"
COLUMNS = ("year", "month", "day", "order", "session ID", PRODUCT, "price")
WHOLE = ("year", "month", "day", "order")


def click_items(path: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield one view per click of a semicolon-separated file, which may be gzipped.

    The data give a day and a number within the session, no time and no receipt: a click is put
    (number - 1) minutes after the day's midnight in London.
    """
    table = _table(path)
    midnights: dict[tuple[str, str, str], datetime] = {}
    columns = (table.column(name).to_pylist() for name in COLUMNS)
    for row, values in enumerate(zip(*columns, strict=True), start=1):
        year, month, day, number, session, product, price = values
        try:
            midnight = midnights.get((year, month, day))
            if midnight is None:
                # The day is London's: its midnight has to be read by that zone's rules.
                naive = datetime(int(year), int(month), int(day))  # noqa: DTZ001
                midnight = midnights[year, month, day] = utc(naive).astimezone(UTC)
            at = midnight + timedelta(minutes=int(number) - 1)
            amount = format(Decimal(price), "f")
        except (TypeError, ValueError, InvalidOperation) as error:
            names = ", ".join((*WHOLE, "price"))
            raise ConfigError(f"{path}: row {row}: {names} are not all numbers of a day") from error
        if not session or not product:
            raise ConfigError(f"{path}: row {row}: session ID or {PRODUCT} is empty")
        moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        name = f"{session}-{number}"
        yield {
            "pk": {"S": f"VISITOR#{session}"},
            "sk": {"S": f"VIEW#{moment}#{name}"},
            "type": {"S": "view"},
            "event_id": {"S": name},
            "visitor_id": {"S": session},
            "product_id": {"S": product},
            "event_type": {"S": "view"},
            "price": {"N": amount},
            "occurred_at": {"S": moment},
        }


def _table(path: Path) -> pa.Table:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; give the e-shop clickstream as CSV or CSV.gz")
    try:
        table = csv.read_csv(
            path,
            parse_options=csv.ParseOptions(delimiter=";"),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(COLUMNS, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{path}: not the e-shop clickstream as CSV ({reason})") from error
    missing = [column for column in COLUMNS if column not in table.column_names]
    if missing:
        raise ConfigError(f"{path}: no column {', '.join(missing)}: not the e-shop clickstream")
    return table
