"""A send put by the recipe of docs/how-to/send-trigger-emails.md is what the demo routes as one."""

from pathlib import Path
from typing import Any

from demo.settings import ROUTES
from demo.tables import DYNAMODB_TABLES
from tests.markdown_blocks import blocks

ROOT = Path(__file__).resolve().parents[2]


class Client:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_item(self, **request: Any) -> None:
        self.put.append(request)


def test_the_recipe_puts_every_attribute_that_the_send_is_routed_with() -> None:
    page = ROOT / "docs" / "how-to" / "send-trigger-emails.md"
    names: dict[str, Any] = {}
    exec(next(block.text for block in blocks(page, ROOT) if "def say_sent" in block.text), names)
    client = Client()
    trigger = {"trigger_id": "t1", "customer_id": "c1", "product_id": "p1", "kind": "price_drop"}
    names["say_sent"](client, trigger, "2026-04-02T09:30:00.000Z")

    [request] = client.put
    [(condition, (_, attributes))] = [
        (condition, route) for condition, route in ROUTES.items() if route[0] == "trigger_sends"
    ]
    item = {name: value["S"] for name, value in request["Item"].items()}
    assert request["TableName"] in DYNAMODB_TABLES
    assert condition == 'sk: { begins_with: "SEND#" }'
    assert (item["pk"], item["sk"]) == ("CUSTOMER#c1", "SEND#2026-04-02T09:30:00.000Z#t1")
    assert set(item) == {"pk", "sk", "type", *attributes.split()}
