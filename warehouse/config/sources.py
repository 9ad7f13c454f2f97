"""What a source is in `warehouse.yml`: a relational database or a set of DynamoDB tables."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from extractors.naming import raw_name
from warehouse.config.values import (
    ColumnName,
    ColumnType,
    Name,
    OptionalText,
    Section,
    TableName,
    WholeNumber,
)

MAIN_CELL = "main"


class RelationalTable(Section):
    """One table of a relational source."""

    key: list[ColumnName] = Field(min_length=1)
    """The columns that identify a row."""
    cursor: ColumnName | None = None
    """The column that changes whenever a row does, such as `updated_at`."""
    mode: Literal["incremental", "full"] = "incremental"
    """`incremental` reads what changed since the last run, `full` reads every row every time."""
    deletes: Literal["reconcile", "ignore"] = "reconcile"
    """`reconcile` finds rows that were deleted at the source, `ignore` keeps them in raw."""
    history: bool = False
    """Also keep every version of a row, in `raw_<source>.<table>__history`."""
    global_: bool = Field(default=False, alias="global")
    """The key means the same row in every cell, so ids get no `<cell>:` prefix."""

    @field_validator("key")
    @classmethod
    def _names_a_column_once(cls, key: list[str]) -> list[str]:
        if len(set(key)) < len(key):
            raise ValueError("names a column twice")
        return key


def is_postgres_address(value: SecretStr) -> bool:
    """Return whether a value looks like an address of PostgreSQL: a URL, or `name=value` words."""
    return bool(re.match(r"postgres(ql)?://|\s*[a-z_]+\s*=", value.get_secret_value()))


def _postgres_address(value: SecretStr) -> SecretStr:
    if not is_postgres_address(value):
        raise ValueError(
            "not a PostgreSQL address; write postgresql://user:password@host:port/database"
        )
    return value


def _heartbeat(value: str) -> str:
    if not re.fullmatch(r"([^.\s]+\.){1,2}[^.\s]+", value):
        raise ValueError("names no column; write it as schema.table.column")
    return value


PostgresAddress = Annotated[SecretStr, AfterValidator(_postgres_address)]


class PostgresSource(Section):
    """A PostgreSQL database, in one cell or several."""

    kind: Literal["postgres"]
    dsn: PostgresAddress | None = None
    """Its address, `postgresql://user:password@host:port/database`: one cell named `main`."""
    cells: dict[Name, PostgresAddress] | None = Field(default=None, min_length=1)
    """Cell name: address; instead of `dsn`."""
    read_from: Literal["primary", "replica"] = "primary"
    """Whether the addresses are of primaries or of read replicas."""
    heartbeat: Annotated[str, AfterValidator(_heartbeat)] | None = None
    """`schema.table.column`: a timestamptz that the primary keeps current, as pt-heartbeat does.
    No source is taken for complete beyond it, however old a replica's data are."""
    tables: dict[TableName, RelationalTable] = Field(min_length=1)
    """The tables to read."""

    @model_validator(mode="after")
    def _one_way_of_addresses(self) -> Self:
        if (self.dsn is None) == (self.cells is None):
            raise ValueError("needs `dsn` (one cell) or `cells` (several), and not both")
        return self

    @property
    def dsns(self) -> dict[str, SecretStr]:
        """Return the address of each cell; a source with `dsn` has the one cell `main`."""
        return self.cells or ({MAIN_CELL: self.dsn} if self.dsn else {})

    @property
    def cell_names(self) -> tuple[str, ...]:
        return tuple(self.dsns)

    def entities(self, table: str) -> tuple[str, ...]:
        """Return the raw tables that a table feeds."""
        return (raw_name(table),)


class Condition(Section):
    """A test of one attribute of an item."""

    begins_with: str | None = None
    equals: str | bool | int | float | None = None
    exists: bool | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("needs exactly one of begins_with, equals, exists")
        return self


class Route(Section):
    """Send the items that meet every condition to one raw table."""

    when: dict[ColumnName, Condition] = Field(min_length=1)
    """Attribute: condition; all must hold. The first route that fits an item takes it."""
    entity: Name
    """The raw table, `raw_<source>.<entity>`."""
    columns: dict[ColumnName, ColumnType] = Field(default_factory=dict)
    """Attribute: type; the column exists even when no item has the attribute."""


def _only_scan(value: Any) -> Any:
    if value in ("export", "stream"):
        raise ValueError(f"`read: {value}` is not available in this version; use `read: scan`")
    return value


class DynamodbTable(Section):
    """One DynamoDB table."""

    read: Annotated[Literal["scan"], BeforeValidator(_only_scan)] = "scan"
    """How it is read; only `scan` is available in this version."""
    consistent: bool = False
    """Read strongly consistently, at twice the capacity."""
    columns: dict[ColumnName, ColumnType] = Field(default_factory=dict)
    """Attribute: type; the column exists even when no item has the attribute."""
    route: list[Route] = Field(default_factory=list)
    """For a single-table design: which items go to which raw table."""

    @model_validator(mode="after")
    def _columns_belong_to_routes(self) -> Self:
        if self.route and self.columns:
            raise ValueError("has routes: give the columns to each route, not to the table")
        return self


class DynamodbSource(Section):
    """DynamoDB tables of one account and region."""

    kind: Literal["dynamodb"]
    region: str = Field(min_length=1)
    """The AWS region, such as `eu-west-2`."""
    endpoint: OptionalText = None
    """Another address than AWS's own, such as an emulator's."""
    read_capacity: str | float = "25%"
    """How fast to read: a share of the provisioned capacity (`25%`), or read units per second."""
    segments: WholeNumber = Field(default=4, ge=1, le=1000)
    """How many parts of a table are scanned at the same time."""
    tables: dict[TableName, DynamodbTable] = Field(min_length=1)
    """The tables to read."""

    @field_validator("read_capacity")
    @classmethod
    def _share_or_units(cls, value: str | float) -> str | float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", str(value))
        number = float(match.group(1)) if match else 0.0
        if isinstance(value, bool) or match is None or number == 0:
            raise ValueError("is a share such as 25%, or a number of read units per second")
        if not match.group(2):
            return number
        if number > 100:
            raise ValueError("is more than 100%")
        return f"{number:g}%"

    @property
    def cell_names(self) -> tuple[str, ...]:
        return (MAIN_CELL,)

    def entities(self, table: str) -> tuple[str, ...]:
        """Return the raw tables that a table feeds, in the order of its routes."""
        routes = self.tables[table].route
        return tuple(dict.fromkeys(route.entity for route in routes)) or (raw_name(table),)


Source = Annotated[PostgresSource | DynamodbSource, Field(discriminator="kind")]
