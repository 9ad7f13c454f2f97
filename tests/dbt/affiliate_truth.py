"""Hold the verdicts on affiliates' clicks to the demo's planted fraud: `make docs-truth`."""

from pathlib import Path
from typing import Any

import duckdb

from tests.shops import Shop

Rows = list[tuple[Any, ...]]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "affiliate-fraud.md"
# A visit of a program that came by an honest link: the answers call the link's click honest, and
# say of the visit that it is a program's.
CLICKS = """
create temp table judged as
select
    clicks.click_id,
    clicks.affiliate_id,
    clicks.validity,
    clicks.validity_rule,
    case
        when truth.kind = 'honest' and programs.visitor_id is not null then 'bot'
        when truth.kind = 'honest' then 'valid'
        else truth.kind
    end as kind
from affiliate.clicks as clicks
full join truth.affiliate_clicks as truth using (click_id)
left join (select distinct visitor_id from truth.sessions where is_bot) as programs
    using (visitor_id)
"""
KINDS = """
select
    kinds.kind,
    count(*) filter (judged.kind = kinds.kind) as planted,
    count(*) filter (judged.validity = kinds.kind) as found,
    count(*) filter (judged.kind = kinds.kind and judged.validity = kinds.kind) as right,
    count(*) filter (judged.kind = kinds.kind and judged.validity <> 'valid') as held
from (select distinct kind from judged) as kinds(kind)
cross join judged
group by kinds.kind
order by kinds.kind = 'valid', kinds.kind
"""
RULES = """
select validity, validity_rule, count(*), count(*) filter (validity = kind)
from judged
where validity <> 'valid'
group by all
order by all
"""
AFFILIATES = """
select affiliate_id, count(*), count(*) filter (validity <> 'valid')
from judged
where kind = 'valid'
group by affiliate_id
order by affiliate_id
"""

# Verdict, rules, when, and what sets the figures.
TOLD = (
    ("bot", "program_visitor", "its visitor is a program [by its visits](who-visitors-are.md)", ""),
    ("bot", "agent", "its user agent fits a pattern", "bot_agents.csv"),
    (
        *("bot", "agent_sees_nothing", "almost nothing ever followed clicks by its agent"),
        "click_agent_minimum_clicks click_agent_seen_share",
    ),
    ("bot", "data_centre", "its address is a data centre's", "data_centre_ranges.csv"),
    (
        *("duplicate", "repeated", "the same browser clicked the same link just before"),
        "click_duplicate_seconds",
    ),
    (
        *("flood", "crowd", "too many browsers behind one address came by one affiliate"),
        "click_crowd_browsers click_crowd_seconds",
    ),
    (
        *("flood", "address_velocity", "its address clicked too often in that hour"),
        "click_address_per_hour",
    ),
    (
        *("flood", "affiliate_velocity", "its affiliate got too many clicks in that minute"),
        "click_affiliate_per_minute",
    ),
    (
        *(
            "flood",
            "clicks_without_orders",
            "its affiliate's many clicks of the day led to no order",
        ),
        "click_order_minimum_clicks click_order_share",
    ),
    (
        *("flood", "nothing_followed", "nothing else happened in its visit, and that is told here"),
        "click_unseen_hours",
    ),
    ("self", "own_account merged_account same_email", "the customer is the affiliate", ""),
    ("self", "own_device", "the affiliate signed in on its browser", "click_own_device_days"),
)


def read(shop: Shop) -> dict[str, Rows]:
    """Return what the verdicts of the published version are worth, by the answer file of the shop.

    `kinds`: planted, given as verdict, both, planted and held by any; `rules`: clicks, and those
    that are what the verdict says; `affiliates`: valid clicks planted, and those of them held.
    """
    with duckdb.connect(str(shop.published), read_only=True) as connection:
        truth = shop.directory / "var" / "demo" / "truth.duckdb"
        connection.execute(f"attach '{truth}' as truth (read_only)")
        connection.execute(CLICKS)
        asked = {"kinds": KINDS, "rules": RULES, "affiliates": AFFILIATES}
        return {name: connection.execute(query).fetchall() for name, query in asked.items()}


def page(found: dict[str, Rows]) -> str:
    """Return the page as a shop says it."""
    kinds = "\n".join(
        f"| `{kind}` | {planted} | {given} | {_percent(right, given)} | {_percent(right, planted)}"
        f" | {_percent(held, planted)} |"
        for kind, planted, given, right, held in found["kinds"]
    )
    rules = "\n".join(
        f"| `{validity}` | `{rule}` | {count} | {right} |"
        for validity, rule, count, right in found["rules"]
    )
    told = "\n".join(
        f"| `{verdict}` | {_names(rule)} | {when} | {_names(by)} |"
        for verdict, rule, when, by in TOLD
    )
    valid = sum(planted for _, planted, _ in found["affiliates"])
    held = sum(held for *_, held in found["affiliates"])
    return f"""# Clicks that should earn nothing

Written by `make docs-truth` from the demo shop, which plants honest clicks and each kind of fraud
and keeps the answers in a file that no pipeline reads ([what is planted](generated-data.md)); a
test compares this page with the shop.

Every click on an affiliate's link is in `affiliate.clicks` with one verdict. What is not `valid` is
held: it earns nothing, stays in the table with the rule and what the rule saw, and a person may let
it count.

## The rules

The first that fits is told. The figures are rows of the seed `affiliate_rules.csv`, for all
affiliates or for one, from a day to a day; `off` switches a rule off.

| verdict | rule | a click is held where | set by |
|---|---|---|---|
{told}

Two clicks with one id are one click that was delivered twice. `self` clicks still take part in
attribution, so that the order earns nothing; the others do not, and the click before them counts.

**Orders seconds after their click.** Software in a browser can click for people who are about to
pay. A line that was ordered less than `click_order_minimum_seconds` after the click that brought it
does not mature (`held_rule` is `too_soon` in `affiliate.conversions`) until somebody has decided
about the click, either way.

**Hashed addresses and agents.** Where `warehouse.yml` keeps them as keyed hashes, as the demo does,
no list of addresses or patterns of agents can match. Whatever only asks whether two are the same
works as before: in place of `agent` stands `agent_sees_nothing`, in place of `data_centre`
`address_velocity`. A new key makes every address and agent a new one.

**Late news.** What follows a click may be told late: it is held for being followed by nothing only
after `click_unseen_hours`, and never on a day of which its cell tells no page views at all. A
verdict that changes later changes what is due, as a late refund does.

**Many people behind one address.** Companies and mobile networks have them too, so the limits per
address are high. A row for an affiliate can lower or raise them for that one.

## How often that is right

| kind | planted | given | precision | recall | held by any rule |
|---|---:|---:|---:|---:|---:|
{kinds}

A click that a program's visit came by counts as a `bot`'s. *Precision*: of the clicks with this
verdict, those that are it. *Recall*: of those that are it, those with this verdict.
Valid clicks that are held: {held} of {valid} ({_percent(held, valid)}). The limit is 1 %, for each
affiliate; a test fails there, and below 95 % of precision or recall of any kind.

| verdict | rule | clicks | rightly |
|---|---|---:|---:|
{rules}

The demo plants what its makers thought of, and few of each: this says that the rules do what they
should, not that they stop whoever knows them. It plants no clicks from data centres and no orders
seconds after a click; every rule has tests of its own beside its model, and
`tests/dbt/test_click_verdicts.py` compares verdicts with plain loops over random clicks.

## Review

<!-- parsed: no click of every shop has this id -->
```console
$ warehouse decide click c-123 --valid --reason 'asked the partner, a campaign mail'
$ warehouse decide click c-124 --held --reason 'same device as c-123'
```

The last decision counts, from the next run on, and `validity_figures` says who decided, why, and
what the rule had found. Start with the affiliates of whose clicks most are held:

```sql
select
    affiliate_id,
    count(*) as clicks,
    count(*) filter (validity <> 'valid') as held,
    mode(validity_rule) as mostly_by
from affiliate.clicks
group by affiliate_id
order by held desc, affiliate_id
```
"""


def _names(words: str) -> str:
    return ", ".join(f"`{word}`" for word in words.split())


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
