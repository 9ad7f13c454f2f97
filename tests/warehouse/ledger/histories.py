"""Random histories of an affiliate programme: what happens, and when the warehouse learns of it.

A history is a list of facts in the order in which they arrive; each names the business time that it
is about, which may be long before. Times are hours since the first of January 2026.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
HOLD = 14 * 24
DAYS = 150
# From euros to the payout currency, by affiliate.
FX = {"GBP": Decimal("0.86512345"), "EUR": Decimal(1)}


def at(hours: int) -> datetime:
    """Return the instant of an hour."""
    return START + timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened at `hour`, of which the warehouse learns at `known`."""

    kind: str
    hour: int
    known: int
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    def __getitem__(self, name: str) -> Any:
        return self.facts[name]


def history(seed: random.Random, name: str, count: int) -> list[Fact]:
    """Return at least `count` facts about the affiliates and customers of one history."""
    draw = _Draw(seed, name)
    made: list[Fact] = [
        Fact("plan", 0, 0, {"affiliate": one, "rate": draw.rate(), "from": 0})
        for one in draw.affiliates
    ]
    while len(made) < count:
        made += draw.some(made)
    return made


def arriving(seed: random.Random, facts: Iterable[Fact]) -> list[Fact]:
    """Return the same facts in another order of arrival; none comes before it happened.

    The first plans are always there.
    """
    return [
        replace(one, known=one.hour + seed.randrange(0, 40 * 24) if one.hour else one.known)
        for one in facts
    ]


@dataclass(slots=True)
class _Draw:
    seed: random.Random
    name: str
    number: int = 0

    @property
    def affiliates(self) -> list[str]:
        return [f"{self.name}-{one}" for one in ("ann", "bob", "cat")]

    @property
    def customers(self) -> list[str]:
        return [f"{self.name}-c{one}" for one in range(4)]

    def new(self, kind: str) -> str:
        self.number += 1
        return f"{self.name}-{kind}{self.number}"

    def rate(self) -> Decimal:
        return Decimal(self.seed.randrange(1, 2000)) / 10000

    def some(self, made: list[Fact]) -> Iterator[Fact]:
        """Yield the next facts: mostly sales, and what happens to earlier ones."""
        pick, hour = self.seed.random(), self.seed.randrange(0, DAYS * 24)
        orders = [one for one in made if one.kind == "order"]
        if pick < 0.35 or not orders:
            yield from self._sale(hour)
            return
        of = self.seed.choice(orders)
        later = self._after(of.hour)
        if pick < 0.55:
            yield from self._refund(of, later)
        elif pick < 0.63:
            yield from self._dispute(of, later)
        elif pick < 0.70:
            gone = self.seed.choice(("cancelled", "deleted", "restored"))
            yield self._fact(gone, later, {"order": of["order"]})
        elif pick < 0.78:
            affiliate = self.seed.choice(self.affiliates)
            plan = {"affiliate": affiliate, "rate": self.rate(), "from": self._before(hour)}
            yield self._fact("plan", hour, plan)
        elif pick < 0.86:
            yield self._fact("click", self._before(of.hour), self._click(of["customer"]))
        elif pick < 0.90:
            one, other = self.seed.sample(self.customers, 2)
            yield self._fact("merge", hour, {"gone": max(one, other), "into": min(one, other)})
        elif pick < 0.95:
            days = {"line": self.seed.choice(of["lines"])[0], "days": self.seed.randrange(1, 60)}
            yield self._fact("extend", later, days)
        else:
            amount = Decimal(self.seed.randrange(-3000, 3000)) / 100
            decided = {"affiliate": self.seed.choice(self.affiliates), "amount": amount}
            yield self._fact("decide", hour, decided | {"id": self.new("d")})

    def _fact(self, kind: str, hour: int, facts: dict[str, Any]) -> Fact:
        late = self.seed.choice((0, 0, 0, 3, 30, 24 * 20, 24 * 50))
        return Fact(kind, hour, hour + self.seed.randrange(late + 1), facts)

    def _after(self, hour: int) -> int:
        return hour + self.seed.randrange(1, 24 * 60)

    def _before(self, hour: int) -> int:
        return max(0, hour - self.seed.randrange(1, 24 * 25))

    def _click(self, customer: str) -> dict[str, Any]:
        affiliate = self.seed.choice(self.affiliates)
        return {"customer": customer, "affiliate": affiliate, "id": self.new("k")}

    def _sale(self, hour: int) -> Iterator[Fact]:
        customer = self.seed.choice(self.customers)
        yield self._fact("click", self._before(hour), self._click(customer))
        order = self.new("o")
        lines = [
            (f"{order}-{n}", Decimal(self.seed.randrange(1, 30000)) / 100)
            for n in range(self.seed.randrange(1, 4))
        ]
        yield self._fact("order", hour, {"order": order, "customer": customer, "lines": lines})

    def _refund(self, of: Fact, hour: int) -> Iterator[Fact]:
        """Refund a line by amount, by units of 7, whole, or by more than it was."""
        line, price = self.seed.choice(of["lines"])
        part = self.seed.choice(
            (
                Decimal(self.seed.randrange(1, 1 + int(price * 100))) / 100,
                (price * self.seed.randrange(1, 7) / 7).quantize(Decimal("0.0001")),
                price,
            )
        )
        yield self._fact("refund", hour, {"id": self.new("r"), "line": line, "amount": part})

    def _dispute(self, of: Fact, hour: int) -> Iterator[Fact]:
        """Open a dispute, and mostly end it: lost or won."""
        opened = self._fact("opened", hour, {"id": self.new("x"), "order": of["order"]})
        yield opened
        end = self.seed.choice(("lost", "lost", "won", "open"))
        if end != "open":
            ended = self._fact(end, hour + self.seed.randrange(1, 24 * 30), opened.facts)
            yield replace(ended, known=max(ended.known, opened.known))
