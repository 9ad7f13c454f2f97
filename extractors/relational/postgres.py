"""Read PostgreSQL tables under one exported snapshot per source and cell."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psycopg

from extractors.errors import SourceError
from extractors.package import Manifest, PackageWriter
from extractors.relational import snapshots
from extractors.relational.catalogue import relation
from extractors.relational.checks import (
    needs_text,
    quarantined,
    refuse_repeated_keys,
    refuse_rewritten,
)
from extractors.relational.checksums import TableReader
from extractors.relational.connection import begin, connect, pinned, server_of
from extractors.relational.failures import DRIVER_ERRORS, source_error
from extractors.relational.heartbeat import heartbeat
from extractors.relational.plan import Plan, TableSpec, plan
from extractors.relational.positions import Start, changed_rows, left_behind, position, start
from extractors.relational.reading import OddValueError, Progress, Readers, write_parts

__all__ = ["Snapshot", "TableSpec"]


class Snapshot:
    """One moment of a database: everything read through it is of that moment.

    Used as a context manager; `extract` and `reader` may be called from several threads.
    `complete_up_to`: every row stamped before it by its transaction's start is in the snapshot or
    an earlier one. `readers` bounds the connections beside the coordinating one. `heartbeat` names
    a timestamptz column, `schema.table.column`, that the primary keeps current: nothing later than
    it is taken for complete.
    """

    def __init__(
        self,
        dsn: str,
        *,
        source: str,
        cell: str = "main",
        now: Callable[[], datetime],
        readers: int = 2,
        heartbeat: str | None = None,
    ) -> None:
        self.source, self.cell = source, cell
        self.server = server_of(source, dsn)
        self._dsn, self._now, self._limit, self._heartbeat = dsn, now, readers, heartbeat
        # Columns that this read had to make text: a certificate must know them.
        self._widened: dict[str, frozenset[str]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            try:
                self._take(opened)
            except DRIVER_ERRORS as error:
                raise source_error(str(self.server), error) from None
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    @property
    def is_lost(self) -> bool:
        """Whether the server ended the snapshot: nothing can be read under it any more."""
        try:
            self._holder.execute("select 1")
        except psycopg.Error:
            return True
        return False

    def _take(self, opened: ExitStack) -> None:
        holder = self._holder = opened.enter_context(closing(connect(self.server, self._dsn)))
        now = self._now()
        seconds = snapshots.held_back(holder, has_heartbeat=self._heartbeat is not None)
        lsn_before = snapshots.lsn(holder)
        begin(holder)
        identity, self.facts = snapshots.taken(holder, lsn_before)
        self.complete_up_to: datetime = now - timedelta(seconds=seconds)
        if self._heartbeat:
            beat = heartbeat(holder, self.server, self._heartbeat)
            self.complete_up_to = min(self.complete_up_to, beat)
        # Apart from the holder: an error would end the transaction that keeps the snapshot.
        dsn, version = pinned(self._dsn, holder), holder.info.server_version
        self._catalogue = opened.enter_context(closing(connect(self.server, dsn)))
        self._readers = Readers(dsn, identity, version, self._limit)
        opened.callback(self._readers.close)
        snapshots.check_driver(self._readers)

    def plan(self, spec: TableSpec, widened: frozenset[str] = frozenset()) -> Plan:
        """Return how a table is read under this snapshot."""
        try:
            found = relation(self._catalogue, spec.name)
        except psycopg.Error as error:
            raise source_error(self.server.table(spec.name), error) from None
        return plan(spec, found, self.server, widened)

    def extract(
        self,
        spec: TableSpec,
        landing: Path,
        since: dict[str, Any] | None,
        *,
        progress: Progress | None = None,
    ) -> Manifest:
        """Write a table's package: what changed since a position, or all where that is unknown.

        A package without rows still moves the position on. `progress` gets each part's row count.
        SourceError: the source refuses, or shows an older state than the position's.
        """
        behind = left_behind(since, self.facts)
        if behind:
            raise SourceError(f"{self.server.table(spec.name)}: the server {behind}")
        rejecting, widened = False, frozenset[str]()
        try:
            while True:
                read = self.plan(spec, widened)
                at = start(read, since, self.facts)
                try:
                    return self._write(read, at, landing, since, progress, rejecting)
                except OddValueError:
                    found = needs_text(read, self._readers)
                    if not found and (rejecting or not read.rejects):
                        raise SourceError(
                            f"{self.server.table(spec.name)}: a value does not fit the type its"
                            " column declares, and the source does not say which; please report it"
                        ) from None
                    widened, rejecting = widened | found, True
                    self._widened[spec.name] = widened
        except DRIVER_ERRORS as error:
            raise source_error(self.server.table(spec.name), error) from None

    def reader(self, spec: TableSpec) -> TableReader:
        """Return what a certificate asks of the source, in this snapshot."""
        encoding = self._catalogue.info.parameter_status("server_encoding")
        return TableReader(
            self.plan(spec, self._widened.get(spec.name, frozenset())),
            self._readers,
            self.server,
            cell=self.cell,
            facts=self.facts,
            complete_up_to=self.complete_up_to,
            is_utf8=encoding == "UTF8",
        )

    def _write(
        self,
        read: Plan,
        at: Start,
        landing: Path,
        since: dict[str, Any] | None,
        progress: Progress | None,
        rejecting: bool,
    ) -> Manifest:
        where = "" if at.mode == "full" else changed_rows(at)
        with PackageWriter(landing, self.source, self.cell, read.spec.name) as writer:
            if where != "false":
                refuse_repeated_keys(read, self._readers, self.server)
                write_parts(
                    read, where, self._readers, writer, rejecting=rejecting, progress=progress
                )
                if rejecting or read.null_keys:
                    writer.quarantine(quarantined(read, self._readers, where))
                refuse_rewritten(read, self._readers, self.server)
            facts = {**self.facts.shown(), "mode_reason": at.reason}
            return writer.commit(
                mode="full" if at.mode == "full" else "incremental",
                key=read.raw_key,
                columns=read.columns,
                from_=since,
                to=position(read, self.facts),
                source_position=self.facts.xmin,
                complete_up_to=self.complete_up_to,
                facts=facts,
            )
