"""The whole of `warehouse.yml` as one frozen, checked value."""

import re
import zoneinfo
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from warehouse import clock
from warehouse.config.agreement import PiiRule, pii_misfits, repeated_entities
from warehouse.config.readers import ReaderName, ReaderSection, reader_misfits
from warehouse.config.sources import (
    DynamodbSource,
    PostgresSource,
    Source,
    is_postgres_address,
)
from warehouse.config.values import (
    Days,
    FilePath,
    Name,
    OptionalText,
    Section,
    Share,
    WholeNumber,
    located,
)


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone of the IANA list, such as Europe/London") from None
    return name


def _currency(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise ValueError("is three capital letters, such as GBP")
    return code


def _local_folder(value: Any) -> Any:
    if isinstance(value, str) and "://" in value:
        raise ValueError("landing on S3 is not available in this version; name a local folder")
    return value


def _secret_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 16:
        raise ValueError("needs at least 16 characters: a short key can be guessed")
    return value


class WarehouseSection(Section):
    """Where the warehouse lives and how it reports."""

    home: FilePath = Field(default=Path("var"), validate_default=True)
    """The folder of everything it writes: landing, build database, state, published versions."""
    engine: Literal["duckdb", "redshift"] = "duckdb"
    """Where raw and marts are built; `redshift` is not available in this version."""
    dbt_project: FilePath | None = None
    """The folder of your own dbt project: a copy of `dbt_project` with another staging, say. The
    models that are shipped when absent."""
    landing: Annotated[FilePath | None, BeforeValidator(_local_folder)] = None
    """The folder of load packages; `<home>/landing` when absent."""
    reporting_currency: Annotated[str, AfterValidator(_currency)] = "GBP"
    """The currency of the marts' amounts, as an ISO 4217 code."""
    reporting_time_zone: Annotated[str, AfterValidator(_time_zone)] = "Europe/London"
    """The time zone that days are counted in, by its IANA name."""
    clock: Literal["system"] | FilePath = "system"
    """`system`, or a file that holds now as an ISO-8601 instant (the demo moves its own)."""


class PublicationSection(Section):
    """How versions are published."""

    keep: WholeNumber = Field(default=10, ge=1)
    """How many published versions are kept."""
    postgres: Literal["embedded"] | SecretStr | None = None
    """Where BI tools connect: `embedded`, which `warehouse serve` starts, or the address of a
    database of PostgreSQL 13 or later that is the warehouse's own."""
    detail_rows: WholeNumber = Field(default=20_000_000, ge=0)
    """A table of more rows is not in PostgreSQL, only in the DuckDB file."""
    tables: Literal["views", "physical"] = "views"
    """What PostgreSQL's public schemas are made of: views on tables that are loaded once, or
    `physical` copies with primary and foreign keys, from which BI tools draw the model."""
    readers: dict[ReaderName, ReaderSection] = Field(default_factory=dict)
    """Name: what it reads. Each is a role `bi_<name>` of PostgreSQL, beside `bi_reader`, which
    reads everything."""

    @field_validator("postgres")
    @classmethod
    def _is_embedded_or_an_address(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        if isinstance(value, SecretStr) and not is_postgres_address(value):
            raise ValueError(
                "is embedded, or a PostgreSQL address: postgresql://user:password@host/database"
            )
        return value

    @model_validator(mode="after")
    def _readers_have_a_place(self) -> Self:
        if self.readers and self.postgres is None:
            located([(("readers",), "needs publication.postgres, where they read")])
        return self


class LoadSection(Section):
    """How many rows may fail to fit before a load fails."""

    max_quarantined_share: Share = 0.01
    """A load fails when a larger share of a package's rows is rejected."""
    max_quarantined_rows: WholeNumber = Field(default=1000, ge=0)
    """A load fails when more rows of a package are rejected."""


class RetentionSection(Section):
    """How long what is needed no more is kept, in days. `warehouse prune` removes it."""

    landing_days: Days = 30
    """Load packages are merged when they are older, and what was merged goes after as long again:
    what raw knew can be made again for every instant since."""
    history_days: Days | None = None
    """Versions of rows in `__history` tables that were replaced before; absent: all are kept."""
    rejected_days: Days = 90
    """Packages that were refused and set aside."""
    log_days: Days = 90
    """Log files."""
    automatic: bool = True
    """Whether a run that succeeds also prunes, at most once a day."""


class DynamodbExport(Section):
    """Where the DynamoDB tables are that the shop reads recommendations from."""

    region: OptionalText = None
    """The AWS region; that of the only DynamoDB source, with its endpoint, when absent."""
    endpoint: OptionalText = None
    """Another address than AWS's own, such as an emulator's."""
    grace_minutes: WholeNumber = Field(default=60, ge=0)
    """How long items stay that a newer set superseded: no reader may take longer for one answer."""


class ExportsSection(Section):
    """Where `warehouse export` writes to."""

    dynamodb: DynamodbExport = Field(default_factory=DynamodbExport)


class Settings(Section):
    """The configuration of a Commerce Warehouse."""

    warehouse: WarehouseSection = Field(default_factory=WarehouseSection)
    publication: PublicationSection = Field(default_factory=PublicationSection)
    load: LoadSection = Field(default_factory=LoadSection)
    retention: RetentionSection = Field(default_factory=RetentionSection)
    exports: ExportsSection = Field(default_factory=ExportsSection)
    sources: dict[Name, Source] = Field(min_length=1)
    """The stores that are read: name: source. The name also names the raw schema `raw_<name>`."""
    pii_keys: dict[Name, Annotated[SecretStr, AfterValidator(_secret_enough)]] = Field(
        default_factory=dict
    )
    """Key id: secret, for `hmac`. The last one is used for new values."""
    pii: dict[str, dict[str, PiiRule]] = Field(default_factory=dict)
    """What happens to personal columns before landing: `<source>.<table>`: {column: rule}.
    `hmac` keeps a keyed hash, `year` the year of a date, `drop` nothing."""

    _path: Path = PrivateAttr(default=Path("warehouse.yml"))

    def model_post_init(self, context: Any, /) -> None:
        if context:
            self._path = context["path"]

    @model_validator(mode="before")
    @classmethod
    def _empty_section_is_default(cls, value: Any) -> Any:
        """Also give `warehouse` to pydantic when absent: a default would not know the folder."""
        if not isinstance(value, dict):
            return value
        sections = cast("dict[Any, Any]", value)
        filled = {key: {} if part is None else part for key, part in sections.items()}
        return {"warehouse": {}, **filled}

    @field_validator("sources")
    @classmethod
    def _one_feeder_of_a_raw_table(cls, sources: dict[str, Source]) -> dict[str, Source]:
        located(repeated_entities(sources))
        return sources

    @field_validator("pii")
    @classmethod
    def _pii_names_what_is_read(
        cls, pii: dict[str, dict[str, PiiRule]], info: ValidationInfo
    ) -> dict[str, dict[str, PiiRule]]:
        if "sources" in info.data:
            located(pii_misfits(pii, info.data["sources"], info.data.get("pii_keys", {"?": None})))
        return pii

    @model_validator(mode="after")
    def _readers_read_what_there_is(self) -> Self:
        located(reader_misfits(self.publication.readers, self.sources))
        return self

    @property
    def path(self) -> Path:
        """Return the file that this was read from."""
        return self._path

    @property
    def home(self) -> Path:
        return self.warehouse.home

    @property
    def landing(self) -> Path:
        return self.warehouse.landing or self.home / "landing"

    @property
    def build_database(self) -> Path:
        return self.home / "build.duckdb"

    @property
    def state_directory(self) -> Path:
        return self.home / "state"

    @property
    def published_directory(self) -> Path:
        return self.home / "published"

    @property
    def logs_directory(self) -> Path:
        return self.home / "logs"

    def now(self) -> datetime:
        """Return the warehouse's now in UTC, by its clock."""
        return clock.now(self.warehouse.clock, self.path.parent)

    def dynamodb_export(self) -> tuple[str, str | None] | None:
        """Return region and endpoint of DynamoDB exports; None where neither place says them."""
        said = self.exports.dynamodb
        if said.region:
            return said.region, said.endpoint
        sources = [source for source in self.sources.values() if isinstance(source, DynamodbSource)]
        if len(sources) != 1:
            return None
        return sources[0].region, said.endpoint or sources[0].endpoint

    def secrets(self) -> tuple[str, ...]:
        """Return every secret value, for those who must keep them out of what they write."""
        found = [*self.pii_keys.values()]
        for source in self.sources.values():
            if isinstance(source, PostgresSource):
                found += source.dsns.values()
        if isinstance(self.publication.postgres, SecretStr):
            found.append(self.publication.postgres)
        return tuple(secret.get_secret_value() for secret in found)
