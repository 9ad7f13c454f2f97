"""Nothing personal reaches landing: neither rows, nor quarantine, nor what a scan leaves behind."""

import hashlib
import hmac
from pathlib import Path

import pytest

from extractors.dynamodb.route import Route
from extractors.errors import ConfigError
from tests.extractors.dynamodb.helpers import quarantined, rows, types
from tests.extractors.dynamodb.test_traps import ScanItems, item

KEYS = {"k0": "an old secret", "k1": "a secret of some length"}
RULES = {"items": {"email": "hmac", "name": "drop", "birth_date": "year"}}
PERSON = item(
    0,
    Email={"S": "ann@example.org"},
    name={"M": {"first": {"S": "Ann-Sophie"}}},
    birthDate={"S": "1980-12-31"},
    plan={"S": "gold"},
)


def hashed(text: str) -> str:
    return "k1:" + hmac.new(KEYS["k1"].encode(), text.encode(), hashlib.sha256).hexdigest()


def landing_bytes(landing: Path) -> bytes:
    return b"".join(path.read_bytes() for path in landing.rglob("*") if path.is_file())


def test_rules_apply_to_attributes_by_their_raw_name(scan_items: ScanItems, tmp_path: Path) -> None:
    (manifest,) = scan_items([PERSON], pii=RULES, pii_keys=KEYS)
    (row,) = rows(tmp_path, manifest)
    assert row == {
        "pk": "p00000",
        "sk": "-",
        "birth_date": 1980,
        "email": hashed("ann@example.org"),
        "plan": "gold",
        "_attributes": '["Email","birthDate","pk","plan","sk"]',
    }
    assert {c.name: c.pii for c in manifest.columns if c.pii} == {
        "birth_date": "year",
        "email": "hmac",
    }


def test_every_type_and_spelling_of_a_personal_attribute_is_hashed(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    items = [
        item(0, email={"S": "5"}, Email={"S": "x"}),
        item(1, email={"N": "5.0"}),
        item(2, email={"SS": ["b", "a"]}),
        item(3, email={"NULL": True}),
        item(4),
    ]
    (manifest,) = scan_items(items, pii=RULES, pii_keys=KEYS)
    assert types(manifest) == {
        "pk": "VARCHAR", "sk": "VARCHAR", "email": "VARCHAR", "email__2": "VARCHAR",
    }  # fmt: skip
    assert [(row["email"], row["email__2"]) for row in rows(tmp_path, manifest)] == [
        (hashed("x"), hashed("5")),
        (None, hashed("5")),
        (None, hashed('["a","b"]')),
        (None, None),
        (None, None),
    ]


def test_quarantined_items_show_nothing_personal(scan_items: ScanItems, tmp_path: Path) -> None:
    routes = [
        Route("items", {"plan": {"exists": True}}, {"score": "BIGINT"}),
        Route("others", {"plan": {"equals": "none"}}),
    ]
    unrouted = {name: value for name, value in PERSON.items() if name != "plan"}
    unrouted |= {"pk": {"S": "p00001"}, "phone": {"S": "555-0199"}}
    (manifest, _) = scan_items(
        [PERSON | {"score": {"S": "?"}}, unrouted],
        routes=routes,
        pii=RULES | {"others": {"phone": "drop"}},
        pii_keys=KEYS,
    )
    assert [(row["reason"], row["payload"]) for row in quarantined(tmp_path, manifest)] == [
        ("does_not_fit", '{"pk":{"S":"p00000"},"plan":{"S":"gold"},"score":{"S":"?"},'
                         '"sk":{"S":"-"}}'),
        ("no_route", '{"pk":{"S":"p00001"},"sk":{"S":"-"}}'),
    ]  # fmt: skip
    everything = landing_bytes(tmp_path)
    for secret in (b"ann@example.org", b"Ann-Sophie", b"1980-12-31", b"555-0199"):
        assert secret not in everything


def test_a_date_that_is_none_quarantines_its_item(scan_items: ScanItems, tmp_path: Path) -> None:
    (manifest,) = scan_items(
        [item(0, birthDate={"S": "unknown 77"}), item(1, birthDate={"N": "1980"})],
        pii=RULES,
        pii_keys=KEYS,
    )
    assert [(row["field"], row["payload"]) for row in quarantined(tmp_path, manifest)] == [
        ("birth_date", '{"pk":{"S":"p00000"},"sk":{"S":"-"}}'),
        ("birth_date", '{"pk":{"S":"p00001"},"sk":{"S":"-"}}'),
    ]


def test_a_personal_key_is_hashed_everywhere(scan_items: ScanItems, tmp_path: Path) -> None:
    (manifest,) = scan_items(
        [item(0), item(1, n={"S": "x"})],
        columns={"n": "BIGINT"},
        pii={"items": {"pk": "hmac"}},
        pii_keys=KEYS,
    )
    assert [row["pk"] for row in rows(tmp_path, manifest)] == [hashed("p00000")]
    (row,) = quarantined(tmp_path, manifest)
    assert row["row_key"] == f'{{"pk":{{"S":"{hashed("p00001")}"}},"sk":{{"S":"-"}}}}'
    assert b"p0000" not in landing_bytes(tmp_path)


def test_rules_that_cannot_be_applied_are_refused(scan_items: ScanItems) -> None:
    with pytest.raises(ConfigError, match="pii: items: pk: `drop` on a key column"):
        scan_items([], pii={"items": {"pk": "drop"}}, pii_keys=KEYS)
    with pytest.raises(ConfigError, match="pii: items: sk: `year` on a key column"):
        scan_items([], pii={"items": {"SK": "year"}}, pii_keys=KEYS)
    with pytest.raises(ConfigError, match="`hmac` needs a key"):
        scan_items([], pii={"items": {"email": "hmac"}})


def test_a_rule_that_is_withdrawn_shows_the_attribute_from_then_on(
    scan_items: ScanItems, tmp_path: Path
) -> None:
    person = item(0, email={"S": "ann@example.org"})
    (first,) = scan_items([person], pii=RULES, pii_keys=KEYS)
    (gone,) = scan_items([item(0)], types={"items": first.columns})
    assert types(gone) == {"pk": "VARCHAR", "sk": "VARCHAR"}
    (second,) = scan_items([person], types={"items": first.columns})
    assert [row["email"] for row in rows(tmp_path, second)] == ["ann@example.org"]
