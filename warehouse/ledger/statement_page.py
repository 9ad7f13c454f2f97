"""Write a statement as one HTML page: readable on a phone, in the dark and on paper."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from extractors.errors import ConfigError
from extractors.package import write_atomically
from warehouse.figures import day, money
from warehouse.ledger.statement_lines import Line, Movement, Shown

FIGURES = {
    "opening": "Carried over from the month before",
    "matured": "Commission past its hold",
    "reversals": "Taken back",
    "adjustments": "Adjusted",
    "payouts": "Paid out",
    "closing": "Owed at the end of the month",
    "payable": "Payable by this statement",
    "carried_forward": "Carried forward",
}
KINDS = {
    "accrual": "Commission, past its hold",
    "maturity": "Commission, hold over",
    "reversal": "Taken back",
    "adjustment": "Adjustment",
    "payout": "Paid out",
    "payout_reversal": "Payment that came back",
}
# Colours come from the reader's own scheme, so that the page is dark where the device is.
STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, CanvasText 20%, Canvas);
  --soft: color-mix(in srgb, CanvasText 62%, Canvas); }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem;
  background: Canvas; color: CanvasText; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; }
.soft { color: var(--soft); font-size: .875rem; }
.total { font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.figures { max-width: 32rem; }
code { overflow-wrap: anywhere; font-size: .8125rem; }
@media (max-width: 40rem) {
  .lines thead { position: absolute; clip-path: inset(50%); }
  .lines tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .lines td { display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0;
    border: 0; text-align: right; overflow-wrap: anywhere; }
  .lines td::before { content: attr(data-label); color: var(--soft); text-align: left; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
HEAD = ("Date", "What", "Order", "Rate", "Base", "Amount", "Since")


def write(shown: Shown, to: Path, zone: ZoneInfo) -> None:
    """Write the page of a statement, with days of a time zone; a file there is replaced."""
    try:
        write_atomically(to, page(shown, zone))
    except OSError as error:
        raise ConfigError(f"{to}: {error.strerror}") from None


def page(shown: Shown, zone: ZoneInfo) -> str:
    """Return the page: it needs no other file and no network."""
    row = shown.statement
    currency = row["currency"]
    who = f"{shown.affiliate_name} ({row['affiliate_id']})" if shown.affiliate_name else ""
    closed_on = day(datetime.fromisoformat(row["closed_at"]), zone)
    paid = (
        f"paid {day(datetime.fromisoformat(row['paid_at']), zone)}"
        if row["paid_at"]
        else f"due {row['due_date']}"
    )
    title = f"Statement {row['statement_number']}"
    figures = "".join(
        f'<tr{" class=total" * (name in {"closing", "payable"})}><th scope="row">{label}</th>'
        f'<td class="number">{money(Decimal(row[name]))} {escape(currency)}</td></tr>\n'
        for name, label in FIGURES.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p>{escape(who or row["affiliate_id"])}, {escape(row["period"][:7])}</p>
<p class="soft">Closed {closed_on}, {escape(paid)}. Least amount that is paid out:
{money(Decimal(row["minimum_payout"]))} {escape(currency)}.</p>
<table class="figures">
<tbody>
{figures}</tbody>
</table>
<h2>Lines</h2>
{_lines(shown.lines, currency, zone)}
<p class="soft">What moved since is in the statement of its own month, and counts there.</p>
<p class="soft">Content hash <code>{escape(row["content_hash"])}</code></p>
</body>
</html>
"""


def _lines(lines: Iterable[Line], currency: str, zone: ZoneInfo) -> str:
    rows = "".join(_line(line, currency, zone) for line in lines)
    if not rows:
        return "<p>Nothing moved in this month.</p>"
    head = "".join(
        f'<th scope="col"{" class=number" * (name in {"Rate", "Base", "Amount"})}>{name}</th>'
        for name in HEAD
    )
    return (
        f'<table class="lines">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>'
    )


def _line(line: Line, currency: str, zone: ZoneInfo) -> str:
    about = line.cause_id if line.order_line_id == "(none)" else line.order_line_id
    order = f"{line.order_id} / {about}" if line.order_id else about
    base = "" if line.base_amount is None else f"{money(line.base_amount)} {line.base_currency}"
    cells = (
        day(line.effective_at, zone),
        KINDS[line.entry_type],
        order,
        "" if line.rate is None else f"{(line.rate * 100).normalize():f} %",
        base,
        f"{money(line.amount)} {currency}",
        "; ".join(_moved(one, currency, zone) for one in line.later) or "nothing",
    )
    return (
        "<tr>"
        + "".join(
            f'<td data-label="{name}"{" class=number" * (name in {"Rate", "Base", "Amount"})}>'
            f"{escape(cell)}</td>"
            for name, cell in zip(HEAD, cells, strict=True)
        )
        + "</tr>\n"
    )


def _moved(one: Movement, currency: str, zone: ZoneInfo) -> str:
    on = day(one.effective_at, zone)
    return f"{KINDS[one.entry_type]} {on}: {money(one.amount)} {currency}"
