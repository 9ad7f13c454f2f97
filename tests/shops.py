"""Help tests run the real command on a real demo shop, and compare what it published."""

import json
import os
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests import warm

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder with a warehouse.yml, and the command run in it."""

    directory: Path

    def command(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run `warehouse` with the arguments in this folder; by default it must succeed."""
        result = warm.run(
            "warehouse",
            arguments,
            cwd=self.directory,
            env=environment(self.directory),
            timeout=600,
        )
        if check and result.returncode:
            raise AssertionError(f"{arguments}: exit {result.returncode}\n{result.stderr[-4000:]}")
        return result

    def json(self, *arguments: str) -> Any:
        """Run `warehouse … --json` and return what it printed."""
        return json.loads(self.command(*arguments, "--json").stdout)

    def versions(self) -> list[dict[str, Any]]:
        """Return `warehouse versions --json`: an empty list, and exit code 2, before the first."""
        return json.loads(self.command("versions", "--json", check=False).stdout)

    def current(self) -> dict[str, Any]:
        """Return the version that readers see."""
        return next(version for version in self.versions() if version["is_current"])

    @property
    def published(self) -> Path:
        """Return the file of the current version."""
        return (self.directory / "var" / "published" / "current").resolve()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the current version."""
        with duckdb.connect(str(self.published), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    def sibling(self, directory: Path) -> "Shop":
        """Return another warehouse, with nothing in it, on the same operational stores."""
        directory.mkdir()
        shared = self.directory / "var" / "demo" / "clock"
        text = (self.directory / "warehouse.yml").read_text(encoding="utf-8")
        text = text.replace("./var/demo/clock", str(shared))
        (directory / "warehouse.yml").write_text(text, encoding="utf-8")
        (directory / ".env").write_bytes((self.directory / ".env").read_bytes())
        return Shop(directory)


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which only the shop's own folder says where the warehouse is."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WAREHOUSE_", "AWS_"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "HOME": str(home)}


# What a final month's figures were before, what was posted of commissions, and which recommender
# won its windows, are records of what was published: two shops that published at other times have
# moved other figures.
OF_HISTORY = (
    *("campaign.restatements", "affiliate.commission_ledger", "affiliate.statements"),
    *("recommendation.evaluation", "recommendation.related_products"),
    "recommendation.customer_recommendations",
)


def without_history(version: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tables of a version that do not tell of earlier versions."""
    return [t for t in version["tables"] if f"{t['schema']}.{t['table']}" not in OF_HISTORY]


def differences(one: Path, other: Path, apart_from: Collection[str] = ()) -> list[str]:
    """Return the tables of two published files that differ by EXCEPT ALL in either direction.

    Like a content hash, it does not ask which run posted an entry, and when.
    """
    found: list[str] = []
    facts = "COLUMNS(lambda name: name NOT IN ('posted_at', 'run_id'))"
    with duckdb.connect() as connection:
        connection.execute("LOAD icu; SET TimeZone = 'UTC'")
        connection.execute(
            f"ATTACH '{one}' AS one (READ_ONLY); ATTACH '{other}' AS other (READ_ONLY)"
        )
        named = (
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = ?"
        )
        named += " AND schema_name <> 'meta' ORDER BY 1"
        tables = [row[0] for row in connection.execute(named, ["one"]).fetchall()]
        if tables != [row[0] for row in connection.execute(named, ["other"]).fetchall()]:
            found.append("the tables themselves")
        for table in tables:
            if table in apart_from:
                continue
            for left, right in (("one", "other"), ("other", "one")):
                rows = connection.execute(
                    f"SELECT count(*) FROM (SELECT {facts} FROM {left}.{table}"
                    f" EXCEPT ALL SELECT {facts} FROM {right}.{table})"
                ).fetchone()
                if rows != (0,):
                    found.append(f"{table}: {rows} rows only in {left}")
    return found
