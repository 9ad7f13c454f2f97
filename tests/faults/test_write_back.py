"""Killed and throttled in the middle, an export shows readers the old set or the new one.

The command is a process of its own and dies by SIGKILL, the table is the emulator's, and the reader
is the recipe of docs/how-to/export-recommendations.md, taken from the page.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from demo.dynamodb_server import CREDENTIALS, DynamoDbServer
from tests.cli.command import REPOSITORY
from tests.cli.test_versions import publication
from tests.faults.dynamodb_proxy import THROTTLED, Proxy, standing_before
from tests.markdown_blocks import blocks
from warehouse.publish import versions as published
from warehouse.state import segments

TABLE = "lists"
PRODUCTS = 120
CONFIGURATION = """
exports: {{ dynamodb: {{ region: eu-west-2, endpoint: "{endpoint}", grace_minutes: 0 }} }}
sources:
  shop: {{ kind: postgres, dsn: postgresql://a@127.0.0.1:1/shop, tables: {{ o: {{ key: [a] }} }} }}
"""
# Each version has other scores for every third product, and one product of its own.
MARTS = """
create schema recommendation;
create table recommendation.related_products as
select
    printf('p"%%03d', case when n = {products} then 1000 + {version} else n end) as product_id,
    ranks.rank,
    printf('p"%%03d', n + ranks.rank) as related_product_id,
    (case when n %% 3 = {version} %% 3 or n = {products} then {version} else 0 end
    + 0.000000000001)::decimal(38, 12) as score
from range(1, {products} + 1) as numbers (n)
cross join range(1, 4) as ranks (rank);
""".replace("%%", "%")

Lists = dict[str, list[dict[str, Any]]]


def recipe() -> dict[str, Any]:
    """Return what the page's Python block defines."""
    page = REPOSITORY / "docs" / "how-to" / "export-recommendations.md"
    block = next(block for block in blocks(page, REPOSITORY) if "def ranked_of_set" in block.text)
    names: dict[str, Any] = {}
    exec(block.text, names)
    return names


@dataclass
class Shop:
    """A warehouse of hand-made versions, the emulator, and a proxy that the command talks to."""

    folder: Path
    server: DynamoDbServer
    proxy: Proxy
    lists: dict[str, Lists] = field(default_factory=dict)

    def publish(self, number: int) -> None:
        home, version = self.folder / "var", f"v00000{number}"
        (home / "published").mkdir(parents=True, exist_ok=True)
        segments.append(home / "state", [publication(number)])
        with duckdb.connect(str(published.version_path(home / "published", version))) as file:
            file.execute(MARTS.format(products=PRODUCTS, version=number))
            rows = file.execute(
                "select product_id, rank, related_product_id, score"
                " from recommendation.related_products order by 1, 2"
            ).fetchall()
        published.switch(home / "published", version)
        lists: Lists = {}
        for product, rank, other, score in rows:
            ranked = {
                "rank": {"N": str(rank)},
                "related_product_id": {"S": other},
                "score": {"N": f"{score.normalize():f}"},
            }
            lists.setdefault(product, []).append({"M": ranked})
        self.lists[version] = lists

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *command],
            cwd=self.folder,
            env=os.environ | CREDENTIALS | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self) -> "subprocess.Popen[str]":
        command = ["export", "related-products", "--to", f"dynamodb://{TABLE}", "--create-table"]
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *command],
            cwd=self.folder,
            env=os.environ | CREDENTIALS | {"PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def export(self) -> str:
        process = self.start()
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
        return told

    def visible(self) -> tuple[str, Lists]:
        """Return the version that the pointer names and every list of its set, by the recipe."""
        client, read = self.server.client(), recipe()["ranked_of_set"]
        key = {"pk": {"S": "set#related"}, "sk": {"N": "0"}}
        pointer = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
        keys = {product for lists in self.lists.values() for product in lists}
        found = {
            product: read(client, TABLE, "related", product, pointer["set_number"])
            for product in keys
        }
        return pointer["version"]["S"], {key: ranked for key, ranked in found.items() if ranked}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamoDbServer]:
    with DynamoDbServer(tmp_path_factory.mktemp("emulator") / "dynamodb") as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path, server: DynamoDbServer) -> Iterator[Shop]:
    with standing_before(server.endpoint) as proxy:
        (tmp_path / "warehouse.yml").write_text(CONFIGURATION.format(endpoint=proxy.endpoint))
        yield Shop(tmp_path, server, proxy)
    client = server.client()
    if TABLE in client.list_tables()["TableNames"]:
        client.delete_table(TableName=TABLE)


class Reader(threading.Thread):
    """Reads some lists of one set again and again, and keeps what was not of a whole version."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(daemon=True)
        self.shop, self.wrong, self.seen, self.reads = shop, [], set(), 0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        client, read = self.shop.server.client(), recipe()["ranked_of_set"]
        key = {"pk": {"S": "set#related"}, "sk": {"N": "0"}}
        while not self._stop_asked.wait(0.02):
            pointer = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
            version = pointer["version"]["S"]
            self.seen.add(version)
            for number in (3, 4, 5, 118, 119, 1001, 1002, 1003):
                product = f'p"{number:03}'
                found = read(client, TABLE, "related", product, pointer["set_number"])
                self.reads += 1
                if found != self.shop.lists[version].get(product, []):
                    self.wrong.append((version, product, found))

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(30)
        assert not self.is_alive()


def test_killed_and_throttled_in_the_middle_readers_see_the_old_set_or_the_new(shop: Shop) -> None:
    shop.publish(1)
    shop.export()
    assert shop.visible() == ("v000001", shop.lists["v000001"])
    reader = Reader(shop)
    reader.start()
    try:
        killed_with_its_lists_half_written(shop)
        assert shop.visible() == ("v000001", shop.lists["v000001"])

        # The same lists go on, though the table is busy: batches are refused and half taken.
        shop.proxy.calls.clear()
        shop.proxy.plan = busy
        told = shop.export()
        assert shop.visible() == ("v000002", shop.lists["v000002"])
        assert "readers see set 2" in told

        # Killed again, and then there are other lists to write.
        shop.proxy.plan = lambda *_: ""
        shop.publish(3)
        killed_with_its_lists_half_written(shop, publish=None)
        assert shop.visible() == ("v000002", shop.lists["v000002"])
        published.switch(shop.folder / "var" / "published", "v000001")
        assert "readers see set 4" in shop.export()
        assert shop.visible() == ("v000001", shop.lists["v000001"])
    finally:
        reader.stop()
    assert reader.wrong == []
    assert reader.seen == {"v000001", "v000002"}
    assert reader.reads > 100
    assert len(shop.visible()[1]) == PRODUCTS


def killed_with_its_lists_half_written(shop: Shop, publish: int | None = 2) -> None:
    """Kill an export while its second batch of lists is on the way; the first has been taken."""
    if publish:
        shop.publish(publish)
    arrived, let_go = threading.Event(), threading.Event()
    batches = 0

    def plan(_: int, operation: str, request: dict[str, Any]) -> str:
        nonlocal batches
        if operation == "BatchWriteItem" and "related#" in str(request)[:4000]:
            batches += 1
            if batches == 2:
                arrived.set()
                let_go.wait(60)
                return "throttle"
        return ""

    shop.proxy.plan = plan
    process = shop.start()
    assert arrived.wait(60)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    let_go.set()
    shop.proxy.plan = lambda *_: ""


def busy(call: int, operation: str, _: dict[str, Any]) -> str:
    if operation == "BatchWriteItem":
        return ("throttle", "half", "")[call % 3]
    return "throttle" if call % 7 == 0 else ""


def test_a_table_that_stays_busy_is_given_up_with_advice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from extractors.dynamodb import writing
    from extractors.errors import SourceError

    monkeypatch.setattr(writing, "PATIENCE", 0.0)
    waited: list[float] = []
    shop.proxy.plan = lambda _call, operation, _request: (
        "throttle" if operation == "BatchWriteItem" else ""
    )
    table = writing.ItemTable(client_of(shop), TABLE, waited.append)
    assert table.check(create=True)
    put = {"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"N": "1"}}}}

    with pytest.raises(SourceError, match=rf"throttled for too long; .* \[{THROTTLED}\]"):
        table.write([put])


def test_pauses_grow_at_random_until_each_item_is_taken(shop: Shop) -> None:
    from extractors.dynamodb import writing

    waited: list[float] = []
    table = writing.ItemTable(client_of(shop), TABLE, waited.append)
    table.check(create=True)
    # botocore asks a second time before we do.
    answers = iter(["throttle"] * 6 + ["half", "half", ""])
    shop.proxy.plan = lambda *_: next(answers)
    table.write(
        [{"PutRequest": {"Item": {"pk": {"S": f"k{n}"}, "sk": {"N": "1"}}}} for n in range(25)]
    )
    shop.proxy.plan = lambda *_: ""

    assert all(table.get(f"k{n}", 1) for n in range(25))
    longest = [writing.SHORTEST * factor for factor in (1, 2, 4, 1, 1)]
    assert len(waited) == len(longest)
    assert all(0 <= pause <= most for pause, most in zip(waited, longest, strict=True))


def test_a_lost_answer_does_not_make_a_claim_somebody_elses(shop: Shop) -> None:
    from extractors.dynamodb import writing

    table = writing.ItemTable(client_of(shop), TABLE)
    table.check(create=True)
    lost: list[int] = []

    def plan(call: int, operation: str, _: dict[str, Any]) -> str:
        if operation == "PutItem" and not lost:
            lost.append(call)
            return "lose"
        return ""

    shop.proxy.plan = plan
    item = {"pk": {"S": "claim"}, "sk": {"N": "0"}, "owned_by": {"S": "me"}}
    assert table.put_if(item, "attribute_not_exists(pk)", {})
    assert lost
    theirs = item | {"owned_by": {"S": "they"}}
    assert not table.put_if(theirs, "attribute_not_exists(pk)", {})


def test_a_table_with_other_keys_is_refused(shop: Shop) -> None:
    from extractors.dynamodb import writing
    from extractors.errors import SourceError

    with pytest.raises(SourceError, match=r"pk \(S\), sk \(S\), where pk \(S\) and sk \(N\) are"):
        writing.ItemTable(client_of(shop), "shop_activity").check()
    with pytest.raises(SourceError, match="no such table; .* --create-table"):
        writing.ItemTable(client_of(shop), "nowhere").check()


def test_what_a_table_that_is_to_be_made_would_cost_is_told_and_no_table_made(shop: Shop) -> None:
    command = ["export", "related-products", "--to", "dynamodb://to-be-made", "--dry-run"]
    shop.publish(1)

    refused = shop.run(*command)
    told = shop.run(*command, "--create-table", "--json")

    assert refused.returncode == 3
    assert "make it with --create-table" in refused.stderr
    assert told.returncode == 0, told.stderr
    assert "table to-be-made would be created" in told.stderr
    price = json.loads(told.stdout)
    assert (price["set"], price["lists"], price["changed"]) == (0, PRODUCTS, PRODUCTS)
    assert price["write_units"] >= PRODUCTS
    assert "to-be-made" not in shop.server.client().list_tables()["TableNames"]


def test_a_kind_that_was_never_exported_reads_as_empty(shop: Shop) -> None:
    shop.publish(1)
    shop.export()
    assert recipe()["ranked"](shop.server.client(), TABLE, "recommendations", "c1") == []


def client_of(shop: Shop) -> Any:
    from extractors.dynamodb.client import dynamodb_client

    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        client = dynamodb_client("eu-west-2", shop.proxy.endpoint, attempts=2)
        client.list_tables()
        return client
