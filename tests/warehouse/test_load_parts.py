"""A package whose files differ from its manifest is refused by name, and changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from extractors.errors import SourceError
from extractors.naming import raw_name
from extractors.package import Column, Manifest, PackageWriter, package_directory
from tests.warehouse.conftest import COLUMNS, NOON, MakePackage, raw_rows, write_part
from warehouse.config import Settings
from warehouse.load import positions
from warehouse.load.package import load_package

Row = tuple[object, ...]


def landed(
    settings: Settings, parts: list[tuple[list[Row], list[Column]]], *, mode: str = "full"
) -> Manifest:
    """Land a package of parts with columns of their own, under a manifest of `COLUMNS`."""
    with PackageWriter(settings.landing, "s", "main", "t") as writer:
        for rows, columns in parts:
            path = writer.new_part()
            write_part(path, rows, columns)
            writer.add_part(path)
        return writer.commit(
            mode="stream" if mode == "stream" else "full",
            key=["id"],
            columns=COLUMNS,
            from_={"at": 1} if mode == "stream" else None,
            to={"at": 2},
            source_position=2,
            complete_up_to=NOON,
        )


def refused(
    build: duckdb.DuckDBPyConnection, settings: Settings, manifest: Manifest, message: str
) -> None:
    """Assert that a package is refused with a message, and that nothing of it stays."""
    before = positions.positions(build)
    with pytest.raises(SourceError, match=message):
        load_package(build, settings.landing, manifest, run_id="run")
    assert positions.positions(build) == before
    assert build.execute("SELECT count(*) FROM meta.loads").fetchone() == (len(before),)
    assert build.execute("SELECT count(*) FROM meta.schema_changes").fetchone() == (
        len(before) * len(COLUMNS),
    )


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("damage", [torn, lambda path: path.write_bytes(b"")])
def test_a_half_written_part_is_refused(
    damage: Callable[[Path], object],
    build: duckdb.DuckDBPyConnection,
    settings: Settings,
    make_package: MakePackage,
) -> None:
    manifest = make_package([("a", 1)])
    damage(package_directory(settings.landing, manifest) / manifest.parts[0].name)
    refused(build, settings, manifest, r"part-00000\.parquet: checksum differs")


def test_a_manifest_that_names_a_part_twice_is_refused(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    manifest = make_package([("a", 1)])
    twice = replace(manifest, rows=2, parts=manifest.parts * 2)
    refused(build, settings, twice, r"s\.t names the part 'part-00000\.parquet' twice")


def test_a_manifest_that_names_a_file_outside_its_folder_is_refused(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    manifest = make_package([("a", 1)])
    away = replace(manifest.parts[0], name="../other/part-00000.parquet")
    refused(build, settings, replace(manifest, parts=(away,)), "names the part '../other")


@pytest.mark.parametrize("what", ["rows", "quarantined"])
def test_a_manifest_whose_count_differs_from_its_parts_is_refused(
    what: str,
    build: duckdb.DuckDBPyConnection,
    settings: Settings,
    make_package: MakePackage,
) -> None:
    manifest = make_package([(f"k{n}", n) for n in range(200)], quarantined=1)
    wrong = replace(manifest, **{what: 7})
    refused(build, settings, wrong, rf"s\.t says {what}: 7, its parts have (200|1); extract again")


@pytest.mark.parametrize(("kind", "field"), [("parts", "rows"), ("quarantine", "quarantined")])
def test_a_part_with_another_number_of_rows_than_the_manifest_says_is_refused(
    kind: str,
    field: str,
    build: duckdb.DuckDBPyConnection,
    settings: Settings,
    make_package: MakePackage,
) -> None:
    manifest = make_package([(f"k{n}", n) for n in range(200)], quarantined=1)
    (part,) = getattr(manifest, kind)
    more = {kind: (replace(part, rows=part.rows + 1),), field: part.rows + 1}
    refused(build, settings, replace(manifest, **more), r"\.parquet: \d+ rows, the manifest says")


TEXT = Column("n", "VARCHAR", "n", "text")
MORE = Column("more", "INTEGER", "more", "int4")


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([("a",)], [COLUMNS[0]], r"n is missing, the manifest of s\.t says INTEGER"),
        ([("a", "1")], [COLUMNS[0], TEXT], r"n is VARCHAR, the manifest of s\.t says INTEGER"),
        ([("a", 1, 2)], [*COLUMNS, MORE], r"more \(INTEGER\) is not in the manifest of s\.t"),
        (
            [("a", 1, "no")],
            [*COLUMNS, Column("_deleted", "VARCHAR", "", "")],
            r"_deleted \(VARCHAR\) is not",
        ),
        (
            [("a", 1, 1)],
            [*COLUMNS, Column("_sequence", "BIGINT", "", "")],
            r"_sequence \(BIGINT\) is not",
        ),
    ],
)
def test_a_part_with_other_columns_or_types_than_the_manifest_says_is_refused(
    rows: list[Row],
    columns: list[Column],
    message: str,
    build: duckdb.DuckDBPyConnection,
    settings: Settings,
) -> None:
    whole: tuple[list[Row], list[Column]] = ([("z", 26)], list(COLUMNS))
    manifest = landed(settings, [whole, (rows, columns)])
    refused(build, settings, manifest, rf"part-00001\.parquet: column .*{message}")


@pytest.mark.parametrize("name", ["rowid", "file_index", "file_row_number", "_cell"])
def test_a_column_named_like_one_of_the_warehouse_is_refused_and_extractors_make_none(
    name: str, build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    columns = (*COLUMNS, Column(name, "INTEGER", name, "int4"))
    manifest = make_package([("a", 1, 1)], columns=columns)
    refused(
        build, settings, manifest, rf"s\.t has a column {name}, a name that the warehouse keeps"
    )
    assert raw_name(name) != name


@pytest.mark.parametrize("kind", ["DOUBLE", "mixed"])
def test_a_sequence_is_bigint_or_varchar_and_the_same_in_every_part(
    kind: str, build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    load_package(build, settings.landing, make_package([("z", 26)]), run_id="run")
    kinds = ["BIGINT", "VARCHAR"] if kind == "mixed" else [kind]
    parts: list[tuple[list[Row], list[Column]]] = [
        ([(key, 1, 1)], [*COLUMNS, Column("_sequence", each, "", "")])
        for key, each in zip("ab", kinds, strict=False)
    ]
    manifest = landed(settings, parts, mode="stream")
    refused(build, settings, manifest, rf"_sequence \({kinds[-1]}\) is not in the manifest")
    assert raw_rows(build) == [("z", 26)]


def test_a_row_without_a_key_is_refused(
    build: duckdb.DuckDBPyConnection, settings: Settings, make_package: MakePackage
) -> None:
    manifest = make_package([("a", 1), (None, 2)])
    refused(build, settings, manifest, r"s\.t: 1 rows have NULL in \['id'\]")


def test_a_part_may_hold_its_columns_in_another_order(
    build: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    manifest = landed(settings, [([("a", 1)], list(COLUMNS)), ([(2, "b")], [*COLUMNS[::-1]])])
    load_package(build, settings.landing, manifest, run_id="run")
    assert raw_rows(build) == [("a", 1), ("b", 2)]
