"""Attributes of every DynamoDB type, in the places where shops have them."""

from typing import Any

import pyarrow as pa
import pyarrow.compute

from demo.activity.columns import Flags, chosen, digits, where
from demo.draws import Draws, Keys, derived

pc: Any = pyarrow.compute

NULL = '{"NULL":true}'
# Sets of text: the experiments that a browser takes part in; most visitors are in none.
EXPERIMENTS = (
    *(None, None, None, '{"SS":["new-basket"]}'),
    *('{"SS":["big-pictures","new-basket"]}', '{"SS":["big-pictures"]}'),
)
# Sets of numbers: places on the page; of bytes: digests of the banners that were shown.
SHELVES = (None, None, None, None, None, '{"NS":["1","4"]}', '{"NS":["2","3.5","10"]}')
BANNERS = (None,) * 19 + ('{"BS":["AQI=","/wD/"]}',)
FILTERS = (
    *(None, None, None, None),
    '{"M":{"colour":{"S":"red"},"max_price":{"N":"20"}}}',
    '{"M":{"in_stock":{"BOOL":true},"colour":{"NULL":true},"sizes":{"L":[]}}}',
)
# The page before: a text, NULL where the browser tells none, missing in the oldest app.
REFERRERS = ('{"S":"/"}', '{"S":"/sale"}', '{"S":""}', NULL, None)


def product_event_attributes(draws: Draws, price: pa.Array, is_view: Flags) -> dict[str, pa.Array]:
    """Return what views carry beside their declared attributes.

    `price_shown` is a number, and a text in an old version of the app: an attribute of two types.
    """
    texts = price.cast(pa.string())
    old = pc.binary_join_element_wise('{"S":"GBP ', texts, '"}', "")
    new = pc.binary_join_element_wise('{"N":"', _plain(texts), '"}', "")
    is_old = pa.array(draws.uniform("old app") < 0.002)
    return {
        "experiments": _some(EXPERIMENTS, draws, "experiments"),
        "shelf_positions": _some(SHELVES, draws, "shelves"),
        "banners": _some(BANNERS, draws, "banners"),
        "page_before": _some(REFERRERS, draws, "page before"),
        "price_shown": where(is_view, pc.if_else(is_old, old, new)),
    }


def search_attributes(draws: Draws, results: pa.Array) -> dict[str, pa.Array]:
    """Return what searches carry beside their declared attributes: a map, and a list of results."""
    return {
        "filters": _some(FILTERS, draws, "filters"),
        "results": pc.binary_join_element_wise(
            '{"L":[{"S":"', results, '"},{"N":"1"},{"NULL":true}]}', ""
        ),
    }


def checkout_attributes(keys: Keys, is_checkout: Flags) -> dict[str, pa.Array]:
    """Return what checkouts carry: the consent as bytes, and a trace number of 38 digits."""
    traces = digits(derived(keys, "trace"), derived(keys, "trace", 1))
    octets = keys.astype(">u8").view("V8")
    consents = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(8), len(keys), [None, pa.py_buffer(octets.tobytes())]
    ).cast(pa.binary())
    numbers = pc.binary_join_element_wise('{"N":"', traces, '"}', "")
    return {"consent": where(is_checkout, consents), "trace_id": where(is_checkout, numbers)}


def _some(values: tuple[str | None, ...], draws: Draws, purpose: str) -> pa.Array:
    return chosen(values, draws.integers(purpose, 0, len(values)))


def _plain(texts: pa.Array) -> pa.Array:
    """Return decimals without zeros at their end, as DynamoDB returns numbers."""
    return pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), ".")


def is_json(name: str) -> bool:
    """Return whether a column holds values in DynamoDB JSON."""
    return name in JSON_COLUMNS


JSON_COLUMNS = frozenset(
    {
        *("experiments", "shelf_positions", "banners", "page_before", "price_shown"),
        *("filters", "results", "trace_id", "referrer", "tags"),
    }
)


def table_of(columns: dict[str, pa.Array]) -> pa.Table:
    """Return the columns of items; those in DynamoDB JSON say so in their metadata."""
    fields = [
        pa.field(
            name,
            values.type,
            metadata={b"dynamodb": b"json"} if is_json(name) else None,
        )
        for name, values in columns.items()
    ]
    return pa.table(list(columns.values()), schema=pa.schema(fields))
