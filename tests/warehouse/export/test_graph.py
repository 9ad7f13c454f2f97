"""The graph is the marts', as an independent reader sees it, and each broken file is refused."""

import csv
from collections import Counter
from pathlib import Path

import networkx as nx
import pytest

import warehouse
from cli import export_graph
from extractors.errors import AuditError, ConfigError
from tests.warehouse.export.recommended import CUSTOMERS, PRODUCTS, publish
from warehouse.config import Settings
from warehouse.export import graph, neptune, neptune_check

MEGABYTE = 1_000_000
VERBS = {
    "purchase": "bought",
    "cart": "carted",
    "wishlist": "wished",
    "search_click": "clicked",
    "view": "viewed",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return publish(tmp_path)


def read(folder: Path, form: neptune.Form) -> "nx.MultiDiGraph[str]":
    """Read a folder as csv and networkx do, knowing only the names of the system columns."""
    found: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                label = row.pop(form.edge_label if form.start in row else form.label)
                if form.start in row:
                    ends = row.pop(form.start), row.pop(form.end)
                    found.add_edge(*ends, key=row.pop(form.id), label=label, **row)
                else:
                    found.add_node(row.pop(form.id), label=label, **row)
    return found


@pytest.mark.parametrize("name", ["gremlin", "opencypher"])
@pytest.mark.parametrize("largest", [MEGABYTE, 900])
def test_an_independent_reader_counts_as_many_edges_of_each_as_the_marts(
    settings: Settings, tmp_path: Path, name: str, largest: int
) -> None:
    done = graph.export(settings, tmp_path / "graph", name, largest)

    found = read(tmp_path / "graph", neptune.FORMS[name])
    assert set(found.nodes) == {
        *(f"customer:{c}" for c in CUSTOMERS), *(f"product:{p}" for p in PRODUCTS)
    }  # fmt: skip
    with warehouse.open(config=settings.path) as version:
        pairs = version.execute(
            "select kind, customer_id, product_id, count(*) from recommendation.interactions"
            " where customer_id is not null group by all"
        ).fetchall()
        ranked = version.execute(
            "select 'neighbour', 'customer:' || customer_id, 'customer:' || other_customer_id"
            " from recommendation.customer_neighbours union all"
            " select 'related', 'product:' || product_id, 'product:' || related_product_id"
            " from recommendation.related_products"
        ).fetchall()
    counted = {
        (VERBS[kind], f"customer:{c}", f"product:{p}"): str(count) for kind, c, p, count in pairs
    }
    edges = list(found.edges(data=True))
    kept = {
        (held["label"], a, b): held["count:Long"] for a, b, held in edges if "n:Long" not in held
    }
    assert kept == counted
    assert sorted((held["label"], a, b) for a, b, held in edges if "n:Long" in held) == sorted(
        ranked
    )
    degrees = Counter(end for _, a, b in [*counted, *ranked] for end in (a, b))
    assert dict(found.degree()) == dict(degrees)
    assert done.edges == Counter(held["label"] for _, _, held in edges)
    assert (done.files > 9) == (largest == 900)


def test_the_command_offers_the_formats_that_there_are() -> None:
    assert tuple(neptune.FORMS) == export_graph.FORMATS


def test_properties_come_back_whole(settings: Settings, tmp_path: Path) -> None:
    graph.export(settings, tmp_path / "graph", "gremlin", MEGABYTE)

    found = read(tmp_path / "graph", neptune.FORMS["gremlin"])
    assert found.nodes['product:p"2"'] == {
        "label": "product",
        "name:String(single)": 'p"2" "mug", blue\nlarge',
        "category:String(single)": "mugs; cups",
        "price:Double(single)": "2.5000",
    }
    assert found.nodes["product:p1"]["name:String(single)"] == ""  # the catalogue has no p1
    times = {held["last_at:Date"] for *_, held in found.edges(data=True) if "last_at:Date" in held}
    assert "2011-08-28T12:00:27Z" in times


def test_the_same_version_gives_the_same_files(settings: Settings, tmp_path: Path) -> None:
    for name in ("one", "two", "two"):
        graph.export(settings, tmp_path / name, "opencypher", MEGABYTE)
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two
    assert not list(tmp_path.glob(".*"))


def test_a_folder_of_something_else_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match=r"holds thesis.txt, .* name a folder of its own"):
        graph.export(settings, tmp_path / "mine", "gremlin", MEGABYTE)
    with pytest.raises(ConfigError, match="there is no folder"):
        graph.export(settings, tmp_path / "a" / "b", "gremlin", MEGABYTE)


def test_a_graph_that_the_loader_would_refuse_leaves_the_former_one(tmp_path: Path) -> None:
    settings = publish(
        tmp_path, "insert into recommendation.related_products values ('p1', 1, 'p2', 0.5, 1)"
    )
    to = tmp_path / "graph"
    graph.export(settings, to, "gremlin", MEGABYTE)
    before = {path.name: path.read_bytes() for path in to.iterdir()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neptune, "VERTICES", neptune.VERTICES[:1])
        with pytest.raises(AuditError, match="~from: no vertex 'product:p1'"):
            graph.export(settings, to, "gremlin", MEGABYTE)
    assert {path.name: path.read_bytes() for path in to.iterdir()} == before


VERTEX = "~id,~label,name:String,age:Int\n"
EDGE = "~id,~from,~to,~label,at:Date\n"
GOOD = {
    "v.csv": VERTEX + 'a,person,"say ""hi"",\nyou",7\nb,person;admin,,\n',
    "e.csv": EDGE + "e1,a,b,knows,2011-09-01T12:00:00Z\ne2,b,a,knows,\n",
}
CYPHER = {
    "v.csv": ":ID,:LABEL,name:String\na,person,x\nb,person,y\n",
    "e.csv": ":ID,:START_ID,:END_ID,:TYPE,w:Double\ne1,a,b,KNOWS,1.5e3\n",
}


@pytest.mark.parametrize("files", [GOOD, CYPHER])
def test_what_the_documents_allow_is_accepted(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    checked = neptune_check.require_valid(tmp_path)
    assert sum(checked.vertices.values()) == 2
    assert sum(checked.edges.values()) == files["e.csv"].count("\n") - 1


BROKEN = {
    "an id twice": ("v.csv", GOOD["v.csv"] + "a,person,,\n", "v.csv:5: ~id 'a' is there twice"),
    "an edge twice": ("e.csv", GOOD["e.csv"] + "e1,a,b,k,\n", "e.csv:4: ~id 'e1' is there twice"),
    "no such end": ("e.csv", EDGE + "e1,a,z,knows,\n", "e.csv:2: ~to: no vertex 'z'"),
    "an empty id": ("v.csv", GOOD["v.csv"] + ",person,,\n", "v.csv:5: ~id is empty"),
    "an edge without a label": ("e.csv", EDGE + "e1,a,b,,\n", "e.csv:2: an edge has one label"),
    "two labels of an edge": ("e.csv", EDGE + "e1,a,b,x;y,\n", "e.csv:2: an edge has one label"),
    "digits of others": ("v.csv", VERTEX + "a,,,\u0663\nb,,,1\n", "v.csv:2: age:Int: '\u0663'"),
    "no double": ("v.csv", "~id,n:Double\na,1e999\nb,\n", "v.csv:2: n:Double: '1e999' is no"),
    "a text for a number": ("v.csv", VERTEX + "a,,,x\nb,,,1\n", "v.csv:2: age:Int: 'x' is no int"),
    "a large number": ("v.csv", VERTEX + "a,,,2147483648\nb,,,1\n", "v.csv:2: age:Int: '21474"),
    "a time of no calendar": ("e.csv", EDGE + "e1,a,b,k,2011-02-30\n", "e.csv:2: at:Date: '20"),
    "too few fields": ("v.csv", VERTEX + "a,person\nb,,,\n", "v.csv:2: 2 fields where the"),
    "no ~from": ("e.csv", "~id,~to,~label\ne1,a,k\n", "e.csv:1: no column ~from"),
    "no id column": ("v.csv", "name:String\nx\n", "v.csv:1: no column ~id or :ID"),
    "a column twice": ("v.csv", "~id,~id\na,b\nb,a\n", "v.csv:1: column ~id is there twice"),
    "an unknown type": ("v.csv", "~id,n:Text\na,\nb,\n", "v.csv:1: column 'n:Text' is"),
    "a property without type": ("v.csv", "~id,name\na,\nb,\n", "v.csv:1: column 'name' is"),
    "a blank in a header": ("v.csv", "~id,a name:String\na,\nb,\n", "v.csv:1: column 'a na"),
    "an array on an edge": ("e.csv", "~id,~from,~to,w:Int[]\ne1,a,b,1\n", "e.csv:1: column 'w:"),
    "another format's file": ("x.csv", ":ID\nq\n", "e.csv:1: files of gremlin and opencypher are"),
    "an open quote": ("v.csv", GOOD["v.csv"] + 'c,"x\n', "v.csv:5: not RFC 4180: a quoted"),
    "a quote in a field": ("v.csv", VERTEX + 'a,,x"y"z,\nb,,,\n', "v.csv:2: not RFC 4180: a quote"),
    "an empty file": ("v.csv", "", "v.csv:1: no header"),
    "a byte order mark": ("v.csv", "\ufeff" + GOOD["v.csv"], "v.csv:1: a byte order mark"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_by_file_and_line(tmp_path: Path, case: str) -> None:
    name, text, message = BROKEN[case]
    for file, content in (GOOD | {name: text}).items():
        (tmp_path / file).write_text(content, encoding="utf-8", newline="")
    with pytest.raises(AuditError) as refused:
        neptune_check.require_valid(tmp_path)
    assert f"\n  {message}" in str(refused.value)


def test_a_folder_that_is_not_there_is_told_from_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"graph: no such folder"):
        neptune_check.require_valid(tmp_path / "graph")
    with pytest.raises(ConfigError, match="no files here"):
        neptune_check.require_valid(tmp_path)


def test_latin_letters_are_refused(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_bytes(b"~id\na\n\xe4\n")
    with pytest.raises(AuditError, match="v.csv:3: not UTF-8"):
        neptune_check.require_valid(tmp_path)


def test_an_array_of_a_vertex_is_read_value_by_value(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("~id,n:Int[]\na,1;2\nb,1;x\n")
    with pytest.raises(AuditError, match=r"v.csv:3: n:Int\[\]: 'x' is no int"):
        neptune_check.require_valid(tmp_path)
