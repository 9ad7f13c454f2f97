"""The two CSV formats that Amazon Neptune's bulk loader takes: headers, types, and what a row is.

Sources: "Gremlin load data format" and "Load format for openCypher data" in the Neptune user guide.
Both are UTF-8, RFC 4180, with a header row, vertices and edges in separate files of one folder.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from extractors.naming import quoted

__all__ = ["FORMS", "TYPES", "Edges", "Form", "Property", "Vertices"]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of vertices or edges, and its type as both formats name it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Vertices:
    """Vertices of one label: a query for (id, then the properties), ordered by id."""

    label: str
    properties: tuple[Property, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of one label: a query for (from, to, then the properties), each pair once, ordered."""

    label: str
    ends: tuple[str, str]
    properties: tuple[Property, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Form:
    """A format: its system columns, how it calls a time, what a vertex property's header ends in.

    Gremlin adds further values to a property unless it is said to be `single`.
    """

    name: str
    id: str
    label: str
    start: str
    end: str
    edge_label: str
    time: str
    single: str

    def vertex_header(self, vertices: Vertices) -> list[str]:
        return [
            self.id,
            self.label,
            *(f"{part.name}:{self._type(part)}{self.single}" for part in vertices.properties),
        ]

    def edge_header(self, edges: Edges) -> list[str]:
        return [
            *(self.id, self.start, self.end, self.edge_label),
            *(f"{part.name}:{self._type(part)}" for part in edges.properties),
        ]

    def _type(self, part: Property) -> str:
        return self.time if part.type == "Date" else part.type

    def system(self, edges: bool) -> set[str]:
        """Return the system columns of a file of edges, or of vertices."""
        if edges:
            return {self.id, self.start, self.end, self.edge_label}
        return {self.id, self.label}

    def default_label(self, edges: bool) -> str:
        """Return the label of what has no column for it."""
        return "edge" if edges else "vertex"

    def needed(self, edges: bool) -> set[str]:
        """Return the columns that a file cannot do without."""
        if not edges:
            return {self.id}
        # Gremlin calls edges without a label `edge`; a relationship of openCypher has a type.
        return {self.id, self.start, self.end} | (
            {self.edge_label} if self.name == "opencypher" else set()
        )


FORMS = {
    "gremlin": Form(
        "gremlin", "~id", "~label", "~from", "~to", "~label", time="Date", single="(single)"
    ),
    "opencypher": Form(
        "opencypher", ":ID", ":LABEL", ":START_ID", ":END_ID", ":TYPE", time="DateTime", single=""
    ),
}


def _whole(bits: int) -> Callable[[str], bool]:
    limit = 2 ** (bits - 1)
    return lambda text: (
        re.fullmatch(r"[+-]?[0-9]{1,20}", text) is not None and -limit <= int(text) < limit
    )


def _is_number(text: str) -> bool:
    if text in ("NaN", "INF", "-INF", "Infinity", "-Infinity"):
        return True
    try:
        return bool(re.fullmatch(r"[-+.0-9eE]+", text)) and math.isfinite(float(text))
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    if not re.fullmatch(
        r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", text
    ):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_boolean(text: str) -> bool:
    return text.lower() in ("true", "false")


# By the type's name in small letters, as Gremlin's are not case sensitive.
TYPES: dict[str, Callable[[str], bool]] = {
    "bool": _is_boolean,
    "boolean": _is_boolean,
    "byte": _whole(8),
    "short": _whole(16),
    "int": _whole(32),
    "long": _whole(64),
    "float": _is_number,
    "double": _is_number,
    "string": lambda _: True,
    "date": _is_time,
    "datetime": _is_time,
}

_INTERACTIONS = "recommendation.interactions"
# The verb of an edge, and the kind of interaction that it counts.
_VERBS = {
    "bought": "purchase",
    "carted": "cart",
    "wished": "wishlist",
    "clicked": "search_click",
    "viewed": "view",
}


def _counted(verb: str, kind: str) -> Edges:
    return Edges(
        verb,
        ("customer", "product"),
        (Property("count", "Long"), Property("last_at", "Date"), Property("weight", "Double")),
        "select customer_id, product_id, count(*), max(occurred_at), sum(weight)"
        f" from {_INTERACTIONS} where kind = '{kind}' and customer_id is not null"
        " group by customer_id, product_id order by customer_id, product_id",
    )


def _ranked(label: str, ends: tuple[str, str], table: str, key: str, other: str) -> Edges:
    return Edges(
        label,
        ends,
        (Property("score", "Double"), Property("rank", "Int"), Property("n", "Long")),
        f"select {quoted(key)}, {quoted(other)}, score, rank, n from {table} order by 1, 2",
    )


TABLES = (
    ("core", "products"),
    ("recommendation", "interactions"),
    ("recommendation", "customer_neighbours"),
    ("recommendation", "related_products"),
)
VERTICES = (
    Vertices(
        "customer",
        (),
        f"select customer_id from {_INTERACTIONS} where customer_id is not null"
        " union select customer_id from recommendation.customer_neighbours"
        " union select other_customer_id from recommendation.customer_neighbours order by 1",
    ),
    Vertices(
        "product",
        (Property("name", "String"), Property("category", "String"), Property("price", "Double")),
        "select named.product_id, products.name, products.category, products.current_price"
        " from (select product_id from core.products"
        f" union select product_id from {_INTERACTIONS} where customer_id is not null"
        " union select product_id from recommendation.related_products"
        " union select related_product_id from recommendation.related_products) as named"
        " left join core.products as products on named.product_id = products.product_id"
        " order by 1",
    ),
)
EDGES = (
    *(_counted(verb, kind) for verb, kind in _VERBS.items()),
    _ranked(
        "neighbour",
        ("customer", "customer"),
        "recommendation.customer_neighbours",
        "customer_id",
        "other_customer_id",
    ),
    _ranked(
        "related",
        ("product", "product"),
        "recommendation.related_products",
        "product_id",
        "related_product_id",
    ),
)
