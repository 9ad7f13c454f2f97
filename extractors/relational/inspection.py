"""Say before a run what it would meet: tables, columns, privileges, reading modes."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from extractors.errors import WarehouseError
from extractors.naming import quoted
from extractors.package import Column
from extractors.relational import snapshots
from extractors.relational.catalogue import Relation, relation
from extractors.relational.connection import Server, connect, server_of
from extractors.relational.failures import DRIVER_ERRORS, source_error
from extractors.relational.plan import TableSpec, plan, problems, reading_mode


@dataclass(frozen=True, slots=True)
class TableReport:
    """What `warehouse check` shows of one table.

    `problems` keep it from being read, `notes` are worth knowing. `reading` is `scan` or `full`,
    `rows` the source's own estimate.
    """

    name: str
    exists: bool
    columns: tuple[Column, ...]
    reading: str | None
    reason: str
    rows: int | None
    bytes: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def inspect(dsn: str, specs: Sequence[TableSpec], *, source: str) -> list[TableReport]:
    """Return a report for each table; SourceError when the server itself cannot be read."""
    server = server_of(source, dsn)
    with closing(connect(server, dsn)) as connection:
        try:
            general = [] if snapshots.sees_others(connection) else [_hidden(server)]
            return [
                _report(spec, relation(connection, spec.name), server, general) for spec in specs
            ]
        except DRIVER_ERRORS as error:
            raise source_error(str(server), error) from None


def _hidden(server: Server) -> str:
    return (
        "how long others' transactions are open does not show, so `complete up to` may be later"
        f" than their rows; run at the source: GRANT pg_read_all_stats TO {quoted(server.user)}"
    )


def _report(
    spec: TableSpec, found: Relation | None, server: Server, general: Sequence[str]
) -> TableReport:
    wrong = [str(problem) for problem in problems(spec, found, server)]
    notes = list(general)
    columns: tuple[Column, ...] = ()
    reading, reason = None, ""
    if found is not None:
        reading, reason = reading_mode(spec, found)
        if not found.is_unique(spec.key):
            notes.insert(0, "no index holds its key unique: every read looks for repeated keys")
        try:
            columns = plan(spec, found, server).columns
        except WarehouseError as error:
            wrong = wrong or [str(error)]
    return TableReport(
        name=spec.name,
        exists=found is not None,
        columns=columns,
        reading=reading,
        reason=reason,
        rows=found.rows if found else None,
        bytes=found.bytes if found else 0,
        problems=tuple(wrong),
        notes=tuple(notes),
    )
