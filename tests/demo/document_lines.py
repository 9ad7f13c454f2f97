"""Make up the document lines of a shop for tests, in the form and with the oddities of real ones.

Every number is drawn from the index of its customer, product, order or line: one more order
changes no other. The shop opens on OPENED and never looks at the wall clock.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.draws import Draws

OPENED = date(2026, 1, 1)
DAYS = 90
MOST_LINES = 20

COLOURS = ("RED", "BLUE", "GREEN", "PINK", "IVORY", "SILVER", "VINTAGE", "RETROSPOT")
STYLES = ("HEART", "STRIPED", "FLORAL", "POLKADOT", "WOODEN", "GLASS", "SMALL", "LARGE")
THINGS = (
    *("MUG", "CAKE STAND", "LUNCH BOX", "TEA TOWEL", "JAM JAR", "SHOPPER BAG", "DOORMAT"),
    *("CANDLE HOLDER", "NIGHT LIGHT", "PHOTO FRAME", "CUSHION", "WALL CLOCK", "BUNTING"),
    *("GREETING CARD", "GIFT WRAP", "PENCIL SET", "TOY TRAIN", "RAG DOLL", "PLANT POT"),
    *("BEAD NECKLACE", "CHRISTMAS DECORATION", "COAT HOOK", "UMBRELLA", "TIN SIGN"),
)
COUNTRIES = ("United Kingdom", "Germany", "France", "EIRE", "Spain", "Netherlands", "Australia")
COUNTRY_SHARES = (0.86, 0.035, 0.035, 0.03, 0.015, 0.015, 0.01)
QUANTITIES = np.array([1, 2, 3, 4, 6, 8, 12, 24, 48])
QUANTITY_SHARES = (0.28, 0.17, 0.08, 0.10, 0.12, 0.06, 0.12, 0.05, 0.02)
# code, description, price: what stands on documents beside products
CHARGES = {
    "POST": ("POSTAGE", "18.00"),
    "DOT": ("DOTCOM POSTAGE", "11.17"),
    "M": ("Manual", "3.75"),
    "BANK CHARGES": ("Bank Charges", "15.00"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the shop is."""

    customers: int
    products: int
    orders: int
    orders_per_day: float


def plan(scale: float) -> Plan:
    """Return the shop of a scale: 1 is about 300 customers and 2,000 orders over 90 days."""
    orders = max(20, round(2000 * scale))
    products = max(20, round(200 * scale**0.5))
    return Plan(max(5, round(300 * scale)), products, orders, orders / DAYS)


@dataclass(slots=True)
class _Line:
    invoice: str
    code: str
    description: str | None
    quantity: int
    minute: int  # since OPENED, London wall clock
    price: Decimal
    customer: str | None
    country: str


class _Shop:
    """The drawn properties of customers, products, orders and lines."""

    def __init__(self, size: Plan, seed: int) -> None:
        self.size = size
        self.orders = Draws(seed, "made order", np.arange(size.orders, dtype=np.uint64))
        lines = np.arange(size.orders * MOST_LINES, dtype=np.uint64)
        self.lines = Draws(seed, "made line", lines)
        self.quantities = QUANTITIES[self.lines.choices("quantity", QUANTITY_SHARES)]
        customers = Draws(seed, "made customer", np.arange(size.customers, dtype=np.uint64))
        self.country = customers.choices("country", COUNTRY_SHARES)
        products = Draws(seed, "made product", np.arange(size.products, dtype=np.uint64))
        self.codes, self.names = _catalogue(products)
        # Thousandths; a few articles are sold by weight and have a third decimal.
        pence = 29 + (products.uniform("price") ** 3 * 1900).astype(np.int64)
        self.thousandths = pence * 10 + 5 * (products.uniform("decimals") < 0.03)
        self.renamed = products.uniform("renamed") < 0.05
        self.minutes = self._minutes()
        customer = self.orders.uniform("customer") ** 1.7 * size.customers
        anonymous = self.orders.uniform("anonymous") < 0.2
        self.customer = np.where(anonymous, -1, customer.astype(np.int64))

    def _minutes(self) -> NDArray[np.int64]:
        days = (np.arange(self.size.orders) / self.size.orders_per_day).astype(np.int64)
        open_hours = 480 + 720 * self.orders.uniform("minute")
        any_hour = 1440 * self.orders.uniform("minute")
        at_night = self.orders.uniform("at night") < 0.03
        return days * 1440 + np.where(at_night, any_hour, open_hours).astype(np.int64)


def _catalogue(products: Draws) -> tuple[list[str], list[str]]:
    letters = products.choices("letter", (0.06, 0.05, 0.04, 0.85))
    codes = [f"{20001 + 7 * i}{('A', 'B', 'C', '')[letter]}" for i, letter in enumerate(letters)]
    words = [
        np.array(choices)[products.integers(purpose, 0, len(choices))]
        for purpose, choices in (("colour", COLOURS), ("style", STYLES), ("thing", THINGS))
    ]
    return codes, [" ".join(parts) for parts in zip(*words, strict=True)]


def made_lines(seed: int, scale: float = 1, size: Plan | None = None) -> pa.Table:
    """Return the lines of a made-up shop in the form of `orders_file.read_lines`, in time order."""
    shop = _Shop(size or plan(scale), seed)
    documents: list[tuple[int, list[_Line]]] = []
    last_minute = DAYS * 1440
    for order in range(shop.size.orders):
        lines = _document(shop, order)
        documents.append((lines[0].minute, lines))
        refund = _refund(shop, order, lines)
        if refund and refund[0].minute < last_minute:
            documents.append((refund[0].minute, refund))
    documents.sort(key=lambda document: (document[0], document[1][0].invoice))
    return _table([line for _, lines in documents for line in lines])


def _document(shop: _Shop, order: int) -> list[_Line]:
    """Return the lines of one order, or of an adjustment of the stock or the books."""
    draw = shop.orders.uniform
    invoice, minute = str(600_001 + order), int(shop.minutes[order])
    kind = draw("kind")[order]
    if kind < 0.0015:
        price = Decimal("11062.06") if draw("debt")[order] < 0.5 else Decimal("-11062.06")
        return [_Line(f"A{invoice}", "B", "Adjust bad debt", 1, minute, price, None, COUNTRIES[0])]
    if kind < 0.02:
        product = int(draw("adjusted")[order] * shop.size.products)
        reason = ("damages", "check", None)[int(draw("reason")[order] * 3)]
        quantity = -1 - int(draw("missing")[order] * 60)
        code = shop.codes[product]
        return [_Line(invoice, code, reason, quantity, minute, Decimal(0), None, COUNTRIES[0])]
    customer = int(shop.customer[order])
    number = None if customer < 0 else str(12_001 + customer)
    country = COUNTRIES[0 if customer < 0 else int(shop.country[customer])]
    count = min(MOST_LINES, 1 + int(-np.log1p(-draw("lines")[order]) * 3.6))
    blank = _Line(invoice, "", None, 0, minute, Decimal(0), number, country)
    found = [_product_line(shop, order, place, replace(blank)) for place in range(count)]
    if draw("repeated")[order] < 0.02:
        found.append(replace(found[0]))
    if draw("two times")[order] < 0.005:
        for line in found[1:]:
            line.minute += 1
    charges = [
        ("POST", country != COUNTRIES[0]),
        ("DOT", number is None and draw("dotcom")[order] < 0.3),
        ("M", draw("manual")[order] < 0.01),
        ("BANK CHARGES", draw("bank")[order] < 0.003),
    ]
    for code, applies in charges:
        if applies:
            text, price = CHARGES[code]
            charge = _Line(invoice, code, text, 1, minute, Decimal(price), number, country)
            found.append(charge)
    return found


def _product_line(shop: _Shop, order: int, place: int, line: _Line) -> _Line:
    """Fill in product, quantity and price of one line."""
    at = order * MOST_LINES + place
    draw = shop.lines.uniform
    product = int(draw("product")[at] ** 2 * shop.size.products)
    line.quantity = int(shop.quantities[at])
    thousandths = int(shop.thousandths[product])
    if line.quantity >= 24:
        thousandths = thousandths * 17 // 200 * 10  # 15 % off, whole pence
    line.price = Decimal(0) if draw("gift")[at] < 0.002 else Decimal(thousandths).scaleb(-3)
    code = shop.codes[product]
    line.code = code.lower() if draw("case")[at] < 0.05 else code
    name = shop.names[product]
    if shop.renamed[product] and line.minute > DAYS * 720:
        name = f"SET OF 2 {name}"
    line.description = None if draw("no name")[at] < 0.004 else name
    return line


def _refund(shop: _Shop, order: int, lines: list[_Line]) -> list[_Line]:
    """Return the cancellation of some lines of an order: a document that does not name it."""
    draw = shop.orders.uniform
    if draw("refunded")[order] >= 0.12:
        return []
    goods = [line for line in lines if line.quantity > 0 and line.price > 0]
    wait = 60 + int(draw("refund wait")[order] ** 2 * 30 * 1440)
    partly = draw("partly")[order] < 0.3
    return [
        _Line(
            f"C{700_001 + order}",
            line.code,
            line.description,
            -(1 if partly else line.quantity),
            lines[0].minute + wait,
            line.price,
            line.customer,
            line.country,
        )
        for line in goods[: 1 + int(draw("refunded lines")[order] * 3)]
    ]


def _table(lines: list[_Line]) -> pa.Table:
    start = np.datetime64(OPENED, "m")
    minutes = np.array([line.minute for line in lines], dtype="timedelta64[m]")
    return pa.table(
        {
            "invoice_no": pa.array([line.invoice for line in lines], pa.string()),
            "stock_code": pa.array([line.code for line in lines], pa.string()),
            "description": pa.array([line.description for line in lines], pa.string()),
            "quantity": pa.array([line.quantity for line in lines], pa.int32()),
            "invoiced_at": pa.array((start + minutes).astype("datetime64[us]")),
            "unit_price": pa.array([line.price for line in lines], pa.decimal128(12, 3)),
            "customer_id": pa.array([line.customer for line in lines], pa.string()),
            "country": pa.array([line.country for line in lines], pa.string()),
        }
    )
