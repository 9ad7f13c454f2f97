"""`warehouse docs`: all that readers see is in the catalogue and described, and no row is."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dbt.artifacts.schemas.catalog import CatalogArtifact

from cli import pages
from extractors.errors import ConfigError
from tests.cli.command import Command
from tests.cli.test_versions import CONFIGURATION
from tests.shops import Shop, environment


@dataclass(frozen=True)
class Served:
    """A catalogue that `warehouse docs --serve` shows, and what the command printed."""

    shop: Shop
    folder: Path
    address: str
    printed: dict[str, Any]

    def document(self, name: str) -> Any:
        """Return one of its files as JSON."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def served(demo_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield the catalogue of the demo shop while the command shows it; end it as Ctrl-C does."""
    folder = tmp_path_factory.mktemp("catalogue") / "pages"
    command = [sys.executable, "-m", "cli.main", "docs", "--output", str(folder)]
    with subprocess.Popen(
        [*command, "--serve", "--port", "0", "--json"],
        cwd=demo_shop.directory,
        env=environment(demo_shop.directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            address = process.stderr.readline().split()[0]
            process_output = process.stdout
            assert process_output is not None
            printed = "".join(iter(process_output.readline, "}\n")) + "}"
            yield Served(demo_shop, folder, address, json.loads(printed))
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.mark.slow
def test_the_catalogue_holds_every_published_table_and_column_and_describes_each(
    served: Served,
) -> None:
    catalog, manifest = served.document("catalog.json"), served.document("manifest.json")
    entries = {**catalog["nodes"], **catalog["sources"]}
    found = {
        (entry["metadata"]["schema"], entry["metadata"]["name"], column["name"], column["type"])
        for entry in entries.values()
        for column in entry["columns"].values()
    }
    published = served.shop.query(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where not internal"
    )
    assert len(published) > 500
    assert found == set(published)
    assert served.printed["tables"] == len(entries) == len({row[:2] for row in published})
    described = {**manifest["nodes"], **manifest["sources"]}
    for identity, entry in entries.items():
        assert entry["metadata"]["comment"], identity
        assert described[identity]["description"], identity
        assert described[identity]["database"] == "published"
        for column in entry["columns"].values():
            assert column["comment"], (identity, column["name"])
            assert described[identity]["columns"][column["name"]]["description"]


@pytest.mark.slow
def test_the_documents_are_as_dbt_writes_them_and_the_page_holds_both(served: Served) -> None:
    catalog, manifest = served.document("catalog.json"), served.document("manifest.json")
    assert len(CatalogArtifact.from_dict(catalog).nodes) > 40
    page = (served.folder / "index.html").read_text(encoding="utf-8")
    [data] = re.findall(r"n=\{manifest:(\{.*\}),catalog:(\{.*?\})\},r=\{project", page)
    assert [json.loads(document) for document in data] == [manifest, catalog]
    assert "INLINE DATA" not in page
    # no text of theirs is taken for a tag or a comment of the page's
    assert "<" not in "".join(data)
    # nothing is fetched: no script or style of elsewhere, and the page's own tracker stays off
    assert re.findall(r'<(?:script|img|iframe)[^>]*src="?http|<link[^>]*href="?http', page) == []
    assert manifest["metadata"]["send_anonymous_usage_stats"] is False
    assert f"# The catalogue of version {served.printed['version']}" in page


@pytest.mark.slow
def test_lineage_leads_from_the_stores_to_tables_and_to_those_who_use_them(served: Served) -> None:
    manifest = served.document("manifest.json")
    known = {**manifest["nodes"], **manifest["sources"]}
    assert len(manifest["exposures"]) >= 12
    for exposure in manifest["exposures"].values():
        assert exposure["description"], exposure["name"]
        assert exposure["owner"]["name"]
        used = exposure["depends_on"]["nodes"]
        assert used
        assert [name for name in used if known[name]["database"] != "published"] == []
        for name in used:
            assert exposure["unique_id"] in manifest["child_map"][name]
    above, seen = ["exposure.commerce_warehouse.start_here"], set[str]()
    while above:
        seen.add(one := above.pop())
        above += [name for name in manifest["parent_map"][one] if name not in seen]
    assert "source.commerce_warehouse.raw_shop.order_lines" in seen


@pytest.mark.slow
def test_nobody_and_no_folder_of_this_machine_is_in_the_catalogue(served: Served) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in served.folder.iterdir())
    people = served.shop.query(
        "select customer_id from core.customers union select visitor_id from core.sessions"
        " union select order_id from core.orders union select affiliate_id from affiliate.payable"
    )
    ids = {str(row[0]) for row in people if row[0] and len(str(row[0])) > 5}
    assert len(ids) > 1000
    assert ids & set(re.findall(r"[^\s\"'`,;:(){}\[\]\\]+", text)) == set()
    assert str(served.shop.directory) not in text
    assert str(Path.home()) not in text
    secrets = (served.shop.directory / ".env").read_text(encoding="utf-8").splitlines()
    values = [line.partition("=")[2] for line in secrets if "=" in line]
    assert values
    assert [value for value in values if value in text] == []


@pytest.mark.slow
def test_it_is_shown_to_this_machine_and_only_its_folder_is(served: Served) -> None:
    assert served.address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(f"{served.address}/", timeout=10) as answer:
        assert f"<title>Catalogue {served.printed['version']}</title>" in answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served.address}/../warehouse.yml", timeout=10)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with pages.server(tmp_path, 0) as taken, pytest.raises(ConfigError, match="--port"):
        pages.server(tmp_path, taken.server_port)


def test_a_folder_with_something_else_in_it_stays_as_it_is(warehouse: Command) -> None:
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION)
    (warehouse.directory / "letters").mkdir()
    (warehouse.directory / "letters" / "draft.txt").write_text("Dear")
    line = warehouse.fails(2, "docs", "--output", "letters")
    assert "holds draft.txt" in line
    line = warehouse.fails(2, "docs", "--output", "pages")
    assert "nothing is published yet" in line
    assert not (warehouse.directory / "pages").exists()
