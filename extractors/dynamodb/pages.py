"""Ask for one page of a Scan and keep its items as lines, without botocore's parser.

botocore's parser handles 4,200 items a second and holds the GIL; keeping the body and splitting it
with simdjson handles over 100,000. Signing, retries, credentials and the crc32 check stay
botocore's.
"""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import simdjson

from extractors.errors import SourceError

THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "LimitExceededException",
    }
)

# Items of a page whose types are looked at whatever attributes they have.
_SAMPLE = 8

Key = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """The items of one answer, one per line, and what is known of them.

    `shape` names every attribute of the page, with the type tags that a sample of its items has.
    `attributes` counts all values: what is decoded later is compared with it, so that nothing can
    get lost silently.
    """

    lines: bytes
    items: int
    scanned: int
    attributes: int
    shape: frozenset[tuple[str, str]]
    last_key: Key | None
    units: float


class _Capture(threading.local):
    """What the running `read_page` of this thread wants to know; elsewhere the hooks do nothing."""

    on_throttle: Callable[[], None] | None = None
    page: Page | None = None


_capture = _Capture()


def parsed_page(body: bytes) -> Page:
    """Return the page in the body of a Scan answer; ValueError where it is none."""
    # A parser of its own: a shared one refuses to work while anything still refers to its document.
    document = cast("Any", simdjson.Parser().parse(body))
    try:
        items = list(document["Items"])
        shape = _shape(items)
        lines = [item.mini for item in items]
        count, scanned = document["Count"], document["ScannedCount"]
        attributes = sum(map(len, items))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not DynamoDB JSON ({error})") from None
    lines.append(b"")
    if len(items) != count:
        raise ValueError(f"{len(items)} items where Count says {count}")
    members = set(document)
    last_key = document["LastEvaluatedKey"].as_dict() if "LastEvaluatedKey" in members else None
    consumed = document["ConsumedCapacity"].as_dict() if "ConsumedCapacity" in members else {}
    return Page(
        lines=b"\n".join(lines),
        items=count,
        scanned=scanned,
        attributes=attributes,
        shape=shape,
        last_key=last_key,
        # an emulator may not report it; half a unit per 4 KiB is what an ordinary read costs
        units=float(consumed.get("CapacityUnits") or len(body) / 8192),
    )


def _shape(items: list[Any]) -> frozenset[tuple[str, str]]:
    """Return the (attribute, type tag) pairs of one item of each set of names, and of a few more.

    Looking at the types of all items would take twice as long as everything else here.
    """
    sample = {tuple(item): item for item in items}
    pairs = frozenset(
        (name, *value)
        for item in (*sample.values(), *items[:_SAMPLE])
        for name, value in item.items()
    )
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("a value without exactly one type")
    return cast("frozenset[tuple[str, str]]", pairs)


def _before_parse(response_dict: dict[str, Any], **_: object) -> None:
    if _capture.on_throttle is None or response_dict["status_code"] != 200:
        return
    try:
        _capture.page = parsed_page(response_dict["body"])
    except ValueError:
        # A damaged body: the crc32 check, which comes after parsing, has it sent again.
        _capture.page = None
    response_dict["body"] = b"{}"


def _response_received(parsed_response: dict[str, Any] | None, **_: object) -> None:
    code = parsed_response.get("Error", {}).get("Code") if parsed_response else None
    if _capture.on_throttle is not None and code in THROTTLES:
        _capture.on_throttle()


_HOOKS = {
    "before-parse.dynamodb.Scan": _before_parse,
    "response-received.dynamodb.Scan": _response_received,
}


@contextmanager
def raw_pages(client: Any) -> Iterator[None]:
    """Let `read_page` see raw bodies on this client; other calls on it are not affected."""
    events = client.meta.events
    for event, hook in _HOOKS.items():
        events.register(event, hook, unique_id=event, unique_id_uses_count=True)
    try:
        yield
    finally:
        for event, hook in _HOOKS.items():
            events.unregister(event, hook, unique_id=event, unique_id_uses_count=True)


def read_page(client: Any, request: dict[str, Any], on_throttle: Callable[[], None]) -> Page:
    """Return one page; `on_throttle` is called for each refusal that botocore answers by itself."""
    _capture.on_throttle, _capture.page = on_throttle, None
    try:
        client.scan(**request)
        page = _capture.page
    finally:
        _capture.on_throttle = _capture.page = None
    if page is None:
        raise SourceError(
            f"DynamoDB table {request['TableName']}: the endpoint answered a Scan with something"
            " that is not DynamoDB JSON; check `endpoint`"
        )
    return page


def start_key(key: Key) -> dict[str, dict[str, Any]]:
    """Return a key of the wire as a request wants it: binary as bytes."""
    return {
        name: {
            tag: base64.b64decode(value) if tag == "B" else value for tag, value in tagged.items()
        }
        for name, tagged in key.items()
    }
