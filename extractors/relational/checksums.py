"""Compute row checksums at the source, in the snapshot that the rows were read under."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from extractors.naming import literal, quoted
from extractors.package import Manifest, PackageWriter
from extractors.relational.canonical import joined, kind, range_type, row_text, utf8
from extractors.relational.checks import refuse_rewritten
from extractors.relational.connection import Server
from extractors.relational.failures import DRIVER_ERRORS, source_error
from extractors.relational.plan import Field, Plan
from extractors.relational.positions import Facts, position
from extractors.relational.reading import ArrowTable, Readers, cast_engine, page_ranges
from extractors.relational.types import TEXT, at_source


class TableReader:
    """What a certificate asks of one table of the source: checksums, row hashes, a repair."""

    def __init__(
        self,
        plan: Plan,
        readers: Readers,
        server: Server,
        *,
        cell: str,
        facts: Facts,
        complete_up_to: datetime,
        is_utf8: bool,
    ) -> None:
        self.source, self.cell, self.table = server.source, cell, plan.spec.name
        self.entity = plan.spec.name
        self.key = plan.raw_key
        self.columns = tuple((each.name, kind(each)) for each in plan.fields)
        self.position = position(plan, facts)
        self.facts, self.complete_up_to = facts, complete_up_to
        self._plan, self._readers, self._server, self._is_utf8 = plan, readers, server, is_utf8
        self._range = next(
            (each for each in plan.key if not each.rule and range_type(each.raw)), None
        )

    @property
    def range_key(self) -> tuple[str, str] | None:
        """The raw key column, with its type, that cuts the table into ranges."""
        return (self._range.name, self._range.raw) if self._range else None

    def checksums(self, boundaries: Sequence[str]) -> dict[int, tuple[int, int, int]]:
        """Return row count and both checksum halves of each key range that has rows.

        Range n holds the keys from boundary n - 1 on and before boundary n.
        """
        bucket = "0"
        if boundaries and self._range:
            array = self._array(boundaries)
            bucket = f"width_bucket({self._key_sql(self._range)}, {array})"

        def of_pages(pages: str) -> list[dict[str, Any]]:
            # OFFSET 0 keeps the planner from computing each hash twice.
            return self._table(
                "select b, count(*) as n, sum(('x' || substr(h, 1, 15))::bit(60)::bigint)::text"
                " as low, sum(('x' || substr(h, 16, 15))::bit(60)::bigint)::text as high"
                f" from (select {bucket} as b, {self._hash} as h from {self._plan.table}"
                f"{self._plan.accepted(pages)} offset 0) as x group by b"
            ).to_pylist()

        readers = self._readers.limit
        totals: dict[int, tuple[int, int, int]] = {}
        with ThreadPoolExecutor(readers, "checksums") as pool:
            for row in chain.from_iterable(
                pool.map(of_pages, page_ranges(self._plan.relation, readers))
            ):
                n, low, high = totals.get(row["b"], (0, 0, 0))
                totals[row["b"]] = (n + row["n"], low + int(row["low"]), high + int(row["high"]))
        # After the query: from it on, our lock on the table holds off who would rewrite it.
        refuse_rewritten(self._plan, self._readers, self._server)
        return totals

    def hashes(self, boundaries: Sequence[str], ranges: Sequence[int]) -> ArrowTable:
        """Return the raw key and `row_hash` of every row in the key ranges."""
        keys = ", ".join(
            f"{each.at_source(each.reading.select)} as {quoted(each.name)}"
            for each in self._plan.key
        )
        casts = ", ".join(
            f"{each.cast.replace('{c}', quoted(each.name))} AS {quoted(each.name)}"
            for each in self._plan.key
        )
        sql = (
            f"select {keys}, {self._hash} as row_hash from {self._plan.table}"
            f"{self._plan.accepted(self._within(boundaries, ranges))}"
        )
        with cast_engine(self._plan.spec.pii_keys) as engine:
            engine.register("batches", self._table(sql))
            return engine.sql(f"SELECT {casts}, row_hash FROM batches").to_arrow_table()

    def repair(
        self,
        landing: Path,
        boundaries: Sequence[str],
        ranges: Sequence[int],
        missing: ArrowTable,
        deleted: ArrowTable,
    ) -> Manifest:
        """Write the rows with the `missing` raw keys, and tombstones for the `deleted` ones.

        The package continues at this snapshot's position and ends there.
        """
        plan = self._plan
        sql = (
            f"select {plan.selected} from {plan.table}"
            f"{plan.accepted(self._within(boundaries, ranges))}"
        )
        with (
            PackageWriter(landing, self.source, self.cell, self.table) as writer,
            cast_engine(plan.spec.pii_keys) as engine,
        ):
            parts: list[str] = []
            if missing.num_rows:
                engine.register("batches", self._table(sql))
                engine.register("missing", missing)
                key = ", ".join(quoted(name) for name in self.key)
                # Arrow brings a UUID as text.
                typed = ", ".join(
                    f"{quoted(k.name)}::{k.raw} AS {quoted(k.name)}" for k in plan.key
                )
                parts.append(
                    f"SELECT *, false AS _deleted FROM (SELECT {plan.casts} FROM batches)"
                    f" SEMI JOIN (SELECT {typed} FROM missing) USING ({key})"
                )
            if deleted.num_rows:
                engine.register("deleted", deleted)
                columns = ", ".join(
                    f"{quoted(each.name) if each.name in self.key else 'NULL'}::{each.raw}"
                    f" AS {quoted(each.name)}"
                    for each in plan.fields
                )
                parts.append(f"SELECT {columns}, true AS _deleted FROM deleted")
            for part in parts:
                path = writer.new_part()
                engine.execute(f"COPY ({part}) TO {literal(str(path))} (FORMAT parquet)")
                writer.add_part(path)
            return writer.commit(
                mode="incremental",
                key=self.key,
                columns=plan.columns,
                from_=self.position,
                to=self.position,
                source_position=self.facts.xmin,
                complete_up_to=self.complete_up_to,
                facts={**self.facts.shown(), "mode_reason": "repair after a certificate"},
            )

    @property
    def _hash(self) -> str:
        row = row_text(self._plan.fields, self._is_utf8)
        return f"md5({row if self._is_utf8 else utf8(row)})"

    def _key_sql(self, each: Field) -> str:
        value = each.at_source(at_source(each.source.type, each.raw))
        if each.raw != TEXT:
            return f"{value}::{range_type(each.raw)}"
        return f'({value}) collate "C"' if self._is_utf8 else utf8(value)

    def _array(self, boundaries: Sequence[str]) -> str:
        elements = ",".join(
            '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            for text in map(self._boundary, boundaries)
        )
        return f"{literal('{' + elements + '}')}::{self._boundary_type}[]"

    def _boundary(self, text: str) -> str:
        """Return a boundary's input text; where the source is not UTF-8, keys compare as bytes."""
        return text if self._boundary_type != "bytea" else f"\\x{text.encode().hex()}"

    @property
    def _boundary_type(self) -> str:
        assert self._range is not None
        kind = range_type(self._range.raw)
        return "bytea" if kind == "text" and not self._is_utf8 else str(kind)

    def _within(self, boundaries: Sequence[str], ranges: Sequence[int]) -> str:
        """Return SQL for the rows of the given ranges, adjacent ones joined."""
        if not boundaries or self._range is None or len(ranges) > len(boundaries):
            return ""
        key, spans = self._key_sql(self._range), joined(ranges)
        conditions: list[str] = []
        for first, last in spans:
            lower = [f"{key} >= {self._literal(boundaries[first - 1])}"] if first else []
            upper = [f"{key} < {self._literal(boundaries[last])}"] if last < len(boundaries) else []
            conditions.append("(" + " and ".join([*lower, *upper]) + ")")
        return " or ".join(conditions) or "false"

    def _literal(self, boundary: str) -> str:
        return f"{literal(self._boundary(boundary))}::{self._boundary_type}"

    def _table(self, sql: str) -> ArrowTable:
        try:
            return self._readers.table(sql)
        except DRIVER_ERRORS as error:
            raise source_error(self._server.table(self.table), error) from None
