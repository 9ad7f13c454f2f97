"""Write the `warehouse.yml` and `.env` with which the warehouse reads the demo shop."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from demo.dynamodb_server import CREDENTIALS
from demo.tables import REGION, SHOP_TABLES
from extractors.errors import ConfigError
from localserver import processes

MARK = "# Written by `warehouse demo up`. Remove this line to make the file yours."
NOT_IN_GIT = (".env", "var/")
IGNORED = "\n".join([MARK, *NOT_IN_GIT]) + "\n"

HEAD = f"""{MARK}
warehouse:
  home: ./var
  engine: duckdb
  reporting_currency: GBP
  reporting_time_zone: Europe/London
  clock: ./var/demo/clock
sources:
  shop:
    kind: postgres
    dsn: ${{SHOP_DSN}}
    read_from: replica
    heartbeat: demo.clock.now
    tables:
"""
# attribute -> type; what is not named here is text
TYPES = {
    "is_bot": "BOOLEAN",
    "price": "DECIMAL(18,4)",
    "unit_price": "DECIMAL(18,4)",
    "quantity": "BIGINT",
    "result_count": "BIGINT",
}
CAMPAIGN_EVENTS = """
    event_id received_at event_type occurred_at visitor_id customer_id campaign_id channel
    utm_source utm_medium utm_campaign utm_content utm_term landing_page referrer device country
    age_band gender is_bot user_agent
"""
AFFILIATE_CLICKS = """
    click_id received_at affiliate_id occurred_at visitor_id customer_id product_id landing_page
    ip user_agent
"""
# Tables whose earlier values stay known: prices, stock, commissions, rates, people.
HISTORY = {"users", "product_prices", "inventory", "commission_plans", "fx_rates"}
# condition of the route -> entity and its attributes
ROUTES = {
    'sk: { begins_with: "VIEW#" }': (
        "product_events",
        "event_id visitor_id customer_id product_id event_type occurred_at price",
    ),
    "type: { equals: search }": (
        "searches",
        "search_id visitor_id customer_id query result_count clicked_product_id occurred_at",
    ),
    'sk: { begins_with: "CART#" }': (
        "cart_events",
        "event_id cart_id visitor_id customer_id product_id action quantity unit_price occurred_at",
    ),
    'sk: { begins_with: "SEND#" }': (
        "trigger_sends",
        "trigger_id customer_id product_id kind sent_at",
    ),
}
TAIL = """pii:
  shop.users: { email: hmac, name: drop, birth_date: year }
  shop.addresses: { line1: drop, postcode: drop }
  activity.affiliate_clicks: { ip: hmac, user_agent: hmac }
pii_keys:
  k1: ${PII_KEY}
"""


def configuration() -> str:
    """Return the demo's `warehouse.yml`."""
    lines = [HEAD.rstrip("\n")]
    for table in SHOP_TABLES:
        key = ", ".join(table.key)
        history = ", history: true" if table.name in HISTORY else ""
        lines.append(f"      {table.name}: {{ key: [{key}], cursor: updated_at{history} }}")
    lines += [
        "  activity:",
        "    kind: dynamodb",
        f"    region: {REGION}",
        "    endpoint: ${DYNAMODB_ENDPOINT}",
        "    read_capacity: 100000  # units per second: the emulator has no limit of its own",
        "    tables:",
        "      campaign_events:",
        "        read: scan",
        "        columns:",
        *_columns(CAMPAIGN_EVENTS, 10),
        "      affiliate_clicks:",
        "        read: scan",
        "        columns:",
        *_columns(AFFILIATE_CLICKS, 10),
        "      shop_activity:",
        "        read: scan",
        "        route:",
    ]
    for condition, (entity, attributes) in ROUTES.items():
        lines.append(f"          - when: {{ {condition} }}")
        lines += [f"            entity: {entity}", "            columns:"]
        lines += _columns(f"pk sk type {attributes}", 14)
    return "\n".join(lines) + "\n" + TAIL


def _columns(attributes: str, indent: int) -> list[str]:
    return [f"{'':{indent}}{name}: {TYPES.get(name, 'VARCHAR')}" for name in attributes.split()]


def refuse_foreign(directory: Path) -> None:
    """Raise when a file that the demo would write belongs to somebody else."""
    for path in (directory / "warehouse.yml", directory / ".env"):
        if path.exists() and not _is_ours(path):
            message = f"{path} was not written by the demo and stays as it is"
            raise ConfigError(f"{message}; start the demo in another folder with --directory DIR")


def write(directory: Path, addresses: Mapping[str, str], seed: int) -> None:
    """Write what is missing, and keep `.env` out of git; a second time changes nothing.

    `addresses` are the servers', by their variable in `.env`. A `warehouse.yml` that is there
    stays, edited or not; `.env` follows the addresses unless somebody made it theirs.
    """
    variables = {**addresses, **CREDENTIALS}
    # The people are invented: a key that is the same in every demo of a seed protects nobody
    # less, and lets two demos be compared hash by hash.
    variables["PII_KEY"] = sha256(f"commerce warehouse demo {seed}".encode()).hexdigest()
    lines = "".join(f"{name}={value}\n" for name, value in variables.items())
    secrets, text = directory / ".env", f"{MARK}\n{lines}"
    if not secrets.exists() or (_is_ours(secrets) and secrets.read_text() != text):
        processes.write_private(secrets, text)
    path = directory / "warehouse.yml"
    if not path.exists():
        processes.write_private(path, configuration())
        path.chmod(0o644)
    _ignore(directory / ".gitignore")


def remove(directory: Path) -> None:
    """Remove what `write` wrote, unless somebody changed it."""
    written = {"warehouse.yml": configuration(), ".gitignore": IGNORED}
    for name, text in written.items():
        path = directory / name
        if path.exists() and path.read_text(errors="replace") == text:
            path.unlink()
    if (directory / ".env").exists() and _is_ours(directory / ".env"):
        (directory / ".env").unlink()


def _ignore(path: Path) -> None:
    if not path.exists():
        path.write_text(IGNORED)
        return
    text = path.read_text()
    missing = [name for name in NOT_IN_GIT if name not in text.split()]
    if missing:
        path.write_text("\n".join([text.rstrip("\n"), *missing]) + "\n")


def _is_ours(path: Path) -> bool:
    with path.open(errors="replace") as file:
        return file.readline().rstrip("\n") == MARK
