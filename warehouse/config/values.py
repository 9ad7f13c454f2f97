"""The kinds of values that several parts of the configuration share."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

Misfit = tuple[tuple[str | int, ...], str]


def located(misfits: Iterable[Misfit]) -> None:
    """Raise what was found, each problem with its place below the field that is validated."""
    found = list(misfits)
    if found:
        raise PydanticCustomError("located", "does not agree", {"misfits": found})


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change, nor get shown."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    base: Path = info.context["base"] if info.context else Path.cwd()
    return Path(os.path.normpath(base / path.expanduser()))


def _not_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("is true or false, a number is needed")  # noqa: TRY004  pydantic's way
    return value


def _blank_is_none(value: Any) -> Any:
    return None if value == "" else value


def _named(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value):
        raise ValueError("a name is 1 to 40 small letters, digits and _, beginning with a letter")
    return value


def _table(value: str) -> str:
    if not value.strip(". ") or re.search(r"[/\\\x00-\x1f]", value) or len(value) > 255:
        raise ValueError("not usable as a table name (it also names a folder in landing)")
    return value


_COLUMN_TYPES = re.compile(
    r"(VARCHAR|BOOLEAN|BIGINT|DOUBLE|DATE|TIMESTAMP|TIMESTAMPTZ|BLOB|JSON"
    r"|DECIMAL\((\d{1,2}), ?(\d{1,2})\))(\[\])?"
)


def _column_type(value: str) -> str:
    match = _COLUMN_TYPES.fullmatch(value.strip().upper())
    if match is None:
        raise ValueError(
            "not a column type: VARCHAR, BOOLEAN, BIGINT, DECIMAL(p,s), DOUBLE, DATE, TIMESTAMP,"
            " TIMESTAMPTZ, BLOB, JSON, or one of them followed by []"
        )
    if match.group(2) and not int(match.group(3)) <= int(match.group(2)) <= 38:
        raise ValueError("DECIMAL(p,s) needs s ≤ p ≤ 38")
    return match.group().replace(" ", "")


FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
WholeNumber = Annotated[int, BeforeValidator(_not_boolean)]
Days = Annotated[WholeNumber, Field(ge=0, le=36_500)]
Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_not_boolean)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_is_none)]
Name = Annotated[str, AfterValidator(_named)]
TableName = Annotated[str, AfterValidator(_table)]
ColumnName = Annotated[str, Field(min_length=1)]
ColumnType = Annotated[str, AfterValidator(_column_type)]
