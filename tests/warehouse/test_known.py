"""Raw is made again as it was known at an instant, and landing stays as it is."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb
import pytest

from extractors.errors import ConfigError, SourceError
from extractors.package import Manifest, package_directory, utc_text
from tests.warehouse.conftest import MakePackage, raw_rows
from warehouse.config import Settings
from warehouse.engines import duckdb_engine
from warehouse.load import certificates, chains, compaction, known, outbox, replay
from warehouse.load.package import LoadRules
from warehouse.reconcile.certificate import Certificate
from warehouse.state import segments

PLACE = [("s", "main", "t")]
MOMENT = timedelta(microseconds=1)
Rebuilt = Callable[[datetime], list[tuple[str, int]]]


@pytest.fixture
def rebuilt(settings: Settings, tmp_path: Path) -> Rebuilt:
    """Return a function that gives the live rows of raw as it was known at an instant."""

    def rows(known_at: datetime) -> list[tuple[str, int]]:
        path = tmp_path / "aside" / "build.duckdb"
        path.unlink(missing_ok=True)
        with duckdb_engine.build_database(path) as connection:
            known.replay(
                connection, settings.landing, PLACE, known_at, run_id="r", rules=LoadRules()
            )
            return raw_rows(connection)

    return rows


@pytest.fixture
def three(make_package: MakePackage) -> list[Manifest]:
    """Land a full package, a change and a deletion."""
    return [
        make_package([("a", 1), ("b", 2)], to=1),
        make_package([("a", 10)], mode="incremental", start=1, to=2),
        make_package([("b", 2, True)], mode="incremental", start=2, to=3),
    ]


def test_a_package_counts_from_the_moment_its_manifest_was_finished(
    three: list[Manifest], rebuilt: Rebuilt
) -> None:
    first, second, third = (manifest.finished_at for manifest in three)
    assert rebuilt(first) == rebuilt(second - MOMENT) == [("a", 1), ("b", 2)]
    assert rebuilt(second) == rebuilt(third - MOMENT) == [("a", 10), ("b", 2)]
    assert rebuilt(third) == rebuilt(datetime.now(UTC)) == [("a", 10)]


def test_compacted_packages_change_nothing_that_was_known_since_the_oldest_of_them(
    settings: Settings,
    build: duckdb.DuckDBPyConnection,
    make_package: MakePackage,
    three: list[Manifest],
    rebuilt: Rebuilt,
) -> None:
    def compacted() -> Manifest:
        replay.catch_up(build, settings.landing, PLACE, run_id="r", rules=LoadRules())
        (chain,) = chains.chains(settings.landing, PLACE).values()
        return compaction.compact(build, settings.landing, chain)

    first = compacted()
    later = make_package([("c", 3)], mode="incremental", start=3, to=4)
    compacted()
    known_then = {
        three[0].finished_at: [("a", 1), ("b", 2)],
        three[2].finished_at: [("a", 10)],
        later.finished_at - MOMENT: [("a", 10)],
        datetime.now(UTC): [("a", 10), ("c", 3)],
    }
    assert {at: rebuilt(at) for at in known_then} == known_then
    for manifest in three:
        shutil.rmtree(package_directory(settings.landing, manifest))
    assert rebuilt(first.finished_at) == [("a", 10)]
    with pytest.raises(ConfigError, match=f"is {utc_text(first.finished_at)}"):
        rebuilt(first.finished_at - MOMENT)


def test_before_anything_had_landed_the_earliest_instant_is_named(
    three: list[Manifest], rebuilt: Rebuilt
) -> None:
    earliest = three[0].finished_at
    with pytest.raises(ConfigError, match=f"nothing of s.t at .* is {earliest:%Y-%m-%dT%H:%M:%S}"):
        rebuilt(earliest - MOMENT)


def test_where_the_oldest_packages_are_gone_the_next_that_stands_alone_is_the_earliest(
    three: list[Manifest], rebuilt: Rebuilt, settings: Settings, make_package: MakePackage
) -> None:
    whole = make_package([("c", 3)], to=4)
    for part in package_directory(settings.landing, three[0]).iterdir():
        part.unlink()
    with pytest.raises(ConfigError, match=f"is {whole.finished_at:%Y-%m-%dT%H:%M:%S}"):
        rebuilt(three[2].finished_at)
    assert rebuilt(whole.finished_at) == [("c", 3)]


def test_what_was_set_aside_counts_never_and_a_broken_chain_is_refused(
    three: list[Manifest], rebuilt: Rebuilt, settings: Settings
) -> None:
    replay.reject(package_directory(settings.landing, three[2]))
    assert rebuilt(datetime.now(UTC)) == [("a", 10), ("b", 2)]
    replay.reject(package_directory(settings.landing, three[1]))
    assert rebuilt(datetime.now(UTC)) == [("a", 1), ("b", 2)]


def test_landing_stays_as_it_is_even_where_a_package_cannot_be_loaded(
    three: list[Manifest], rebuilt: Rebuilt, settings: Settings
) -> None:
    torn = settings.landing / "s" / "main" / "t" / "0197-torn"
    torn.mkdir()
    part = package_directory(settings.landing, three[1]) / "part-00000.parquet"
    part.write_bytes(b"damaged")
    before = sorted(settings.landing.rglob("*"))
    with pytest.raises(SourceError, match="part-00000.parquet"):
        rebuilt(datetime.now(UTC))
    assert sorted(settings.landing.rglob("*")) == before


def test_a_table_that_never_landed_is_named(rebuilt: Rebuilt) -> None:
    with pytest.raises(ConfigError, match="s.t: nothing has landed yet"):
        rebuilt(datetime.now(UTC))


def test_certificates_are_those_checked_by_then(
    build: duckdb.DuckDBPyConnection, settings: Settings, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    outcomes: list[tuple[datetime, Literal["passed", "failed"]]] = [
        (now - timedelta(days=1), "passed"),
        (now, "failed"),
    ]
    for at, status in outcomes:
        certificate = Certificate(
            source="s",
            cell="main",
            table="t",
            kind="exact",
            status=status,
            source_rows=1,
            warehouse_rows=1,
            source_checksum=None,
            warehouse_checksum=None,
            ranges=(),
            re_read_rows=0,
            deleted_rows=0,
            position={},
            checked_at=at,
            detail="",
        )
        certificates.record_certificate(build, certificate, "run")
    with segments.exclusive(settings.state_directory):
        outbox.flush(build, settings.state_directory)
    with duckdb_engine.build_database(tmp_path / "aside.duckdb") as aside:
        replay.restore_certificates(aside, settings.state_directory, now - timedelta(hours=1))
        found = aside.execute("SELECT status FROM meta.certificates").fetchall()
    assert found == [("passed",)]


def test_certificates_come_back_from_state_all_or_none(
    build: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    """Half of them would count as all, and the newest, which may have failed, comes last."""
    whole = {
        **dict.fromkeys(("certificate_id", "run_id", "source", "cell", "table_name"), ""),
        "kind": "exact",
        "status": "passed",
        "checked_at": utc_text(datetime.now(UTC)),
        **dict.fromkeys(("source_rows", "warehouse_rows", "re_read_rows", "deleted_rows"), 0),
    }
    records = [{"kind": "certificate", "certificate": c} for c in (whole, {**whole, "kind": None})]
    with segments.exclusive(settings.state_directory):
        segments.append(settings.state_directory, records)
    with pytest.raises(duckdb.ConstraintException):
        replay.restore_certificates(build, settings.state_directory)
    assert build.execute("SELECT count(*) FROM meta.certificates").fetchone() == (0,)
