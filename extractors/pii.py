"""Apply PII rules in DuckDB SQL, before a value can reach landing."""

import hashlib
from collections.abc import Mapping

import duckdb

from extractors.errors import ConfigError
from extractors.naming import literal

# hmac: a keyed hash that joins; drop: the column is never read; year: only the calendar year.
RULES = ("hmac", "drop", "year")
RAW_TYPES = {"hmac": "VARCHAR", "year": "INTEGER"}

_BLOCK = 64  # bytes of a SHA-256 block (RFC 2104's B)


def check(
    table: str, rules: Mapping[str, str], key: tuple[str, ...], keys: Mapping[str, str]
) -> None:
    """Raise ConfigError when the rules of a table cannot be applied."""
    for column, rule in rules.items():
        where = f"pii: {table}: {column}"
        if rule not in RULES:
            raise ConfigError(f"{where}: unknown rule {rule!r}; use one of {', '.join(RULES)}")
        if column in key and rule != "hmac":
            raise ConfigError(
                f"{where}: `{rule}` on a key column leaves nothing to tell rows apart; use hmac"
            )
        if rule == "hmac" and not keys:
            raise ConfigError(f"{where}: `hmac` needs a key; set one under pii_keys")
    for identity in keys:
        if not identity or ":" in identity:
            raise ConfigError(f"pii_keys: {identity!r}: a key id is not empty and has no colon")
        if not keys[identity]:
            raise ConfigError(f"pii_keys: {identity}: the key is empty")


def current_key(keys: Mapping[str, str]) -> str | None:
    """Return the id of the key for new values: the last one."""
    return list(keys)[-1] if keys else None


def use_keys(connection: duckdb.DuckDBPyConnection, keys: Mapping[str, str]) -> None:
    """Put the current key into the connection, for `hmac_sql`; the SQL text never holds it."""
    identity = current_key(keys)
    if identity is None:
        return
    secret = keys[identity].encode()
    if len(secret) > _BLOCK:
        secret = hashlib.sha256(secret).digest()
    block = secret.ljust(_BLOCK, b"\0")
    connection.execute("SET VARIABLE pii_inner = ?", [bytes(byte ^ 0x36 for byte in block)])
    connection.execute("SET VARIABLE pii_outer = ?", [bytes(byte ^ 0x5C for byte in block)])


def hmac_sql(text: str, key_id: str) -> str:
    """Return SQL for `<key id>:<hex of HMAC-SHA256>` of a VARCHAR expression; NULL stays NULL."""
    inner = f"unhex(sha256(getvariable('pii_inner') || encode({text})))"
    return f"{literal(key_id + ':')} || sha256(getvariable('pii_outer') || {inner})"


def year_sql(moment: str) -> str:
    """Return SQL for the calendar year (UTC) of a date or timestamp expression."""
    return f"CAST(year({moment}) AS INTEGER)"
