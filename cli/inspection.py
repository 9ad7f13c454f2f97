"""Ask every configured source whether it can be read, how, and at what cost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from extractors.errors import ConfigError, WarehouseError

if TYPE_CHECKING:
    from warehouse.config import Settings
    from warehouse.config.sources import DynamodbSource, PostgresSource


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a run from working; `exit_code` is 2 for the configuration, 3 for the source."""

    message: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class TableCheck:
    """How one table of one cell will be read; `columns` is None where the source cannot tell."""

    source: str
    cell: str
    table: str
    key: tuple[str, ...]
    reading: str
    reason: str
    rows: int | None
    bytes: int
    read_units: float | None = None
    seconds: float | None = None
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found."""

    tables: list[TableCheck] = field(default_factory=list[TableCheck])
    problems: list[Problem] = field(default_factory=list[Problem])
    notes: list[str] = field(default_factory=list[str])

    def add(self, error: WarehouseError) -> None:
        """Keep an error as a problem."""
        self.problems.append(Problem(str(error), error.exit_code))


def inspect(settings: "Settings") -> Findings:
    """Ask every source of the configuration; what is wrong is collected, never raised."""
    from cli import drift
    from warehouse.config.sources import DynamodbSource

    findings = Findings()
    for name, source in settings.sources.items():
        if isinstance(source, DynamodbSource):
            _dynamodb(settings, name, source, findings)
        else:
            _postgres(settings, name, source, findings)
    drift.add_missing(settings, findings)
    if settings.publication.postgres is not None:
        _publication(settings, findings)
    return findings


def _publication(settings: "Settings", findings: Findings) -> None:
    from warehouse.publish import postgres_target
    from warehouse.serve import embedded

    if settings.publication.postgres == "embedded" and not embedded.server(settings).is_running():
        findings.notes.append(
            "publication.postgres: the embedded PostgreSQL does not run;"
            " `warehouse serve --detach` starts it"
        )
        return
    try:
        postgres_target.check(settings)
    except WarehouseError as error:
        findings.add(error)


def _postgres(
    settings: "Settings", name: str, source: "PostgresSource", findings: Findings
) -> None:
    import psycopg

    from extractors.relational.connection import server_of
    from extractors.relational.failures import source_error

    for cell, dsn in source.dsns.items():
        address = dsn.get_secret_value()
        try:
            findings.tables.extend(
                _postgres_tables(settings, name, cell, address, source, findings)
            )
        except WarehouseError as error:
            findings.add(error)
        except psycopg.Error as error:
            findings.add(source_error(str(server_of(name, address)), error))


def _postgres_tables(
    settings: "Settings",
    name: str,
    cell: str,
    dsn: str,
    source: "PostgresSource",
    findings: Findings,
) -> Iterator[TableCheck]:
    from extractors.relational.catalogue import relation
    from extractors.relational.connection import connect, server_of
    from extractors.relational.heartbeat import heartbeat
    from extractors.relational.plan import TableSpec, problems, reading_mode

    server = server_of(name, dsn)
    keys = {key: secret.get_secret_value() for key, secret in settings.pii_keys.items()}
    with connect(server, dsn) as connection:
        if source.heartbeat:
            try:
                heartbeat(connection, server, source.heartbeat)
            except WarehouseError as error:
                findings.add(error)
        for table, configured in source.tables.items():
            spec = TableSpec(
                table,
                tuple(configured.key),
                configured.mode,
                configured.deletes,
                settings.pii.get(f"{name}.{table}", {}),
                keys,
            )
            found = relation(connection, table)
            wrong = problems(spec, found, server)
            for error in wrong:
                findings.add(error)
            if found is None or wrong:
                continue
            reading, reason = reading_mode(spec, found)
            if not found.is_unique(spec.key):
                findings.notes.append(
                    f"{server.table(table)}: no unique index holds the key"
                    f" ({', '.join(spec.key)}), so each read looks for repeated keys"
                )
            yield TableCheck(
                name,
                cell,
                table,
                spec.key,
                reading,
                reason,
                found.rows,
                found.bytes,
                columns=tuple(column.name for column in found.columns),
            )


def _dynamodb(
    settings: "Settings", name: str, source: "DynamodbSource", findings: Findings
) -> None:
    from extractors.dynamodb.client import dynamodb_client

    try:
        client = dynamodb_client(source.region, source.endpoint)
    except ValueError as error:  # botocore's word for an address that is none
        findings.add(ConfigError(f"{settings.path.name}: sources.{name}.endpoint: {error}"))
        return
    for table in source.tables:
        try:
            findings.tables.append(_dynamodb_table(client, name, source, table))
        except WarehouseError as error:
            findings.add(error)


def _dynamodb_table(client: Any, name: str, source: "DynamodbSource", table: str) -> TableCheck:
    from extractors.dynamodb.budget import units_per_second
    from extractors.dynamodb.describe import inspect as inspect_table

    report = inspect_table(client, table)
    rate = units_per_second(source.read_capacity, report.provisioned)
    consistent = source.tables[table].consistent
    return TableCheck(
        name,
        "main",
        table,
        tuple(report.key),
        "parallel scan",
        f"{source.segments} segments at {rate:,.0f} units/s, {report.billing_mode.lower()}",
        report.items,
        report.bytes,
        report.scan_units(consistent=consistent),
        report.scan_seconds(rate, consistent=consistent),
    )
