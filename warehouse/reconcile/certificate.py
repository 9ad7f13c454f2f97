"""The outcome of comparing one table of a source with its raw table."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was compared at which position, and whether both sides agree.

    `kind` says how exact the comparison is (docs/reference/certificates.md). Checksums are the
    sums of both halves of the rows' md5, `<low>-<high>`. `ranges` names the differing key ranges.
    """

    source: str
    cell: str
    table: str
    kind: Literal["exact", "sequence", "read"]
    status: Literal["passed", "failed"]
    source_rows: int
    warehouse_rows: int
    source_checksum: str | None
    warehouse_checksum: str | None
    ranges: tuple[str, ...]
    re_read_rows: int
    deleted_rows: int
    position: dict[str, Any]
    checked_at: datetime
    detail: str
