"""Nothing personal reaches landing, in parts or in quarantine."""

import hashlib
import hmac
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import pii
from extractors.errors import ConfigError
from extractors.relational.postgres import TableSpec
from tests.relational_source import Source, landed

KEYS = {"k1": "old key", "k2": "the key"}
RULES = {"email": "hmac", "name": "drop", "birth_date": "year"}
USERS = TableSpec("users", ("user_id",), pii=RULES, pii_keys=KEYS)


def expected(text: str, key: str = "the key", key_id: str = "k2") -> str:
    return f"{key_id}:{hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()}"


@pytest.fixture
def users(source: Source) -> Source:
    source.run(
        "create table users (user_id text primary key, email text, name text, birth_date date,"
        " seen timestamptz)",
        "insert into users values ('1', 'ada@example.org', 'Ada Lovelace', '1815-12-10', now()),"
        " ('2', null, null, null, null), ('3', 'carl@example.org', 'Carl', '1777-04-30',"
        " '294276-12-31')",
    )
    return source


def test_rules_apply_before_landing(users: Source, tmp_path: Path) -> None:
    with users.snapshot() as snapshot:
        manifest = snapshot.extract(USERS, tmp_path, None)
    assert [(c.name, c.type, c.pii) for c in manifest.columns] == [
        ("user_id", "VARCHAR", None),
        ("email", "VARCHAR", "hmac"),
        ("birth_date", "INTEGER", "year"),
        ("seen", "TIMESTAMPTZ", None),
    ]
    assert landed(tmp_path, manifest, "user_id, email, birth_date") == [
        ("1", expected("ada@example.org"), 1815),
        ("2", None, None),
    ]
    assert manifest.quarantined == 1
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for personal in (b"ada@", b"Ada", b"1815-12-10", b"carl@", b"Carl", b"1777", b"the key"):
        assert personal not in written


def test_a_personal_key_column_is_hashed_in_raw_and_in_quarantine(
    source: Source, tmp_path: Path
) -> None:
    source.run(
        "create table t (email text primary key, seen timestamptz)",
        "insert into t values ('ada@example.org', null), ('carl@example.org', '294276-12-31')",
    )
    spec = TableSpec("t", ("email",), pii={"email": "hmac"}, pii_keys=KEYS)
    with source.snapshot() as snapshot:
        manifest = snapshot.extract(spec, tmp_path, None)
    assert landed(tmp_path, manifest, "email") == [(expected("ada@example.org"),)]
    assert landed(tmp_path, manifest, "row_key", "quarantine") == [('["(hmac)"]',)]


def test_a_new_key_reads_the_table_in_full(users: Source, tmp_path: Path) -> None:
    with users.snapshot() as snapshot:
        first = snapshot.extract(USERS, tmp_path, None)
        rotated = TableSpec("users", ("user_id",), pii=RULES, pii_keys={**KEYS, "k3": "new"})
        second = snapshot.extract(rotated, tmp_path, first.to)
    assert second.mode == "full"
    assert landed(tmp_path, second, "email")[0] == (expected("ada@example.org", "new", "k3"),)


@pytest.mark.parametrize(
    ("rules", "keys", "message"),
    [
        ({"email": "mask"}, KEYS, "users: email: unknown rule 'mask'; use one of hmac, drop, year"),
        ({"email": "hmac"}, {}, "users: email: `hmac` needs a key; set one under pii_keys"),
        ({"user_id": "drop"}, KEYS, "`drop` on a key column leaves nothing to tell rows apart"),
        ({"email": "hmac"}, {"a:b": "x"}, "a key id is not empty and has no colon"),
        ({"email": "hmac"}, {"k1": ""}, "pii_keys: k1: the key is empty"),
        ({"email": "year"}, KEYS, "`year` on email, which is text; it needs a date or timestamp"),
    ],
)
def test_a_rule_that_cannot_be_applied_is_refused(
    users: Source, tmp_path: Path, rules: dict[str, str], keys: dict[str, str], message: str
) -> None:
    spec = TableSpec("users", ("user_id",), pii=rules, pii_keys=keys)
    with users.snapshot() as snapshot, pytest.raises(ConfigError) as caught:
        snapshot.extract(spec, tmp_path, None)
    assert message in str(caught.value)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


def test_the_hash_is_pythons_hmac() -> None:
    with duckdb.connect() as connection:

        @settings(max_examples=50, deadline=None)
        @given(TEXT, TEXT.filter(bool))
        def check(text: str, key: str) -> None:
            pii.use_keys(connection, {"k": key})
            found = connection.execute(f"SELECT {pii.hmac_sql('$1', 'k')}", [text]).fetchone()
            assert found == (expected(text, key, "k"),)

        check()
