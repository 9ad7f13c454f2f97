"""What pgjdbc, which DBeaver, Metabase and Tableau use, gets from the endpoint."""

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.clients.conftest import Server, missing

DRIVER = Path("/usr/share/java/postgresql.jar")
PROGRAM = Path(__file__).with_name("Jdbc.java")


def answers(dsn: str) -> dict[str, list[str]]:
    """Return what the program is told at this address, by step."""
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None or not DRIVER.exists():
        missing(f"no JDK, or no pgjdbc as {DRIVER}")
    at = urlsplit(dsn)
    address = f"jdbc:postgresql://{at.hostname}:{at.port}{at.path}"
    done = subprocess.run(
        [java, "-cp", str(DRIVER), str(PROGRAM), address, at.username or "", at.password or ""],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        step, _, answer = line.partition(" ")
        found.setdefault(step, []).append(answer)
    return found


READ = {
    "value": [
        "order_id String o1",
        "order_date Date 2011-01-02",
        "net_amount BigDecimal 1.25",
        "ordered_at Timestamp 2011-01-01T10:00Z",
        "is_counted Boolean false",
        "parts PgArray [1, null]",
        "version_number Integer 2",
        "note null null",
    ],
    **{f"parameters-{use}": ["o2"] for use in range(1, 8)},
    "streamed": ["600030000"],
    "timed-out": ["57014"],
    "usable": ["1"],
}
# No such table, no such word, and a transaction that only reads.
REFUSED = ["42P01", "42601", "25006"]
COLUMNS = [
    "order_id | text | 2147483647 | 0 | null",
    "order_date | date | 13 | 0 | null",
    "net_amount | numeric | 18 | 2 | What the order is worth without VAT.",
    "ordered_at | timestamptz | 35 | 6 | null",
    "is_counted | bool | 1 | 0 | null",
    "parts | _int8 | 19 | 0 | null",
    "version_number | int4 | 10 | 0 | null",
    "note | text | 2147483647 | 0 | null",
]


def test_pgjdbc_describes_views_and_reads_streams_and_is_refused(bi: Server) -> None:
    assert answers(bi.dsn) == {
        "schemas": ["core"],
        "tables": ["order_lines | VIEW | null", "orders | VIEW | One row per order."],
        "columns": COLUMNS,
        "knows-types": ["true"],
        "refused": [*REFUSED, "42501"],
        **READ,
    }


def test_pgjdbc_finds_the_keys_of_physical_tables_and_what_they_refer_to(physical: Server) -> None:
    assert answers(physical.dsn) == {
        "schemas": ["core"],
        "tables": ["order_lines | TABLE | null", "orders | TABLE | One row per order."],
        "columns": COLUMNS,
        "primary-key": ["order_id | 1"],
        "imported-key": ["orders | order_id | order_id"],
        "exported-key": ["order_lines | order_id"],
        "unique-index": ["order_id"],
        "knows-types": ["true"],
        "refused": [*REFUSED, "25006"],
        **READ,
    }
