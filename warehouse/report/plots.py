"""Lay out line plots: where points, axes and labels lie in a drawing of 360 by 190 units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 308, 14, 164
# Of a decade; three to five lines are read at a glance.
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Point:
    """A value, its label on the axis below, and the range in which it would be usual."""

    label: str
    value: Decimal
    usual: tuple[Decimal, Decimal] | None = None
    is_unusual: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """Words at a place of the drawing."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing: coordinates as SVG takes them. `description` says in words what it shows."""

    name: str
    title: str
    description: str
    line: str
    band: str
    rules: tuple[Label, ...]
    ticks: tuple[Label, ...]
    marks: tuple[Label, ...]
    last: Label
    base: str


def line(name: str, title: str, points: Sequence[Point], written: Callable[[Decimal], str]) -> Plot:
    """Return the plot of at least one point, from left to right; the axis includes 0."""
    edges = [edge for point in points for edge in point.usual or ()]
    values = [Decimal(0), *(point.value for point in points), *edges]
    rules = _rules(min(values), max(values))
    low, high = rules[0], rules[-1]
    step = Decimal(RIGHT - LEFT) / max(1, len(points) - 1)

    def across(index: int) -> str:
        return _unit(LEFT + step * index)

    def up(value: Decimal) -> str:
        return _unit(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP))

    usual = [(across(n), point.usual) for n, point in enumerate(points) if point.usual]
    band = [f"{x},{up(edge[1])}" for x, edge in usual]
    band += [f"{x},{up(edge[0])}" for x, edge in reversed(usual)]
    end = len(points) - 1
    shown = sorted({0, end // 2, end})
    return Plot(
        name,
        title,
        _description(title, points, written),
        " ".join(f"{across(n)},{up(point.value)}" for n, point in enumerate(points)),
        " ".join(band) if len(usual) > 1 else "",
        tuple(Label(str(LEFT), up(rule), compact(rule)) for rule in rules),
        tuple(Label(across(n), str(BOTTOM), points[n].label) for n in shown),
        tuple(
            Label(across(n), up(point.value), f"{point.label}: {written(point.value)}, unusual")
            for n, point in enumerate(points)
            if point.is_unusual
        ),
        Label(across(end), up(points[end].value), compact(points[end].value)),
        up(Decimal(0)),
    )


def compact(value: Decimal) -> str:
    """Return a value in at most five characters or so: 950, 12.5k, 3M."""
    for size, unit in ((10**9, "bn"), (10**6, "M"), (10**3, "k")):
        if abs(value) >= size:
            return f"{_short(value / size)}{unit}"
    return _short(value)


def _short(value: Decimal) -> str:
    digits = 0 if abs(value) >= 100 else 1
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rules(low: Decimal, high: Decimal) -> list[Decimal]:
    """Return the heights of the horizontal lines, round numbers that enclose both."""
    reach = high - low
    if not reach:
        return [Decimal(0), Decimal(1)]
    decade = Decimal(1).scaleb((reach / 4).adjusted())
    step = next(one * decade for one in STEPS if one * decade * 4 >= reach)
    first, last = (low / step).to_integral_value("ROUND_FLOOR"), -((-high) // step)
    while last * step < high:
        last += 1
    return [step * number for number in range(int(first), int(last) + 1)]


def _description(title: str, points: Sequence[Point], written: Callable[[Decimal], str]) -> str:
    def told(point: Point) -> str:
        return f"{written(point.value)} ({point.label})"

    least = min(points, key=lambda point: point.value)
    most = max(points, key=lambda point: point.value)
    unusual = ", ".join(told(point) for point in points if point.is_unusual)
    return (
        f"{title}: from {told(points[0])} to {told(points[-1])};"
        f" least {told(least)}, most {told(most)}" + (f"; unusual: {unusual}." if unusual else ".")
    )


def _unit(value: Decimal) -> str:
    return f"{value:.1f}"
