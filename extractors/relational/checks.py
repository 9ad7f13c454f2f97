"""Ask the source about what a fast read cannot see: repeated keys, odd values, rewritten tables."""

from extractors.errors import SourceError
from extractors.naming import quoted
from extractors.relational.connection import Server
from extractors.relational.plan import Plan, key_text, row_text
from extractors.relational.reading import Readers


def refuse_repeated_keys(read: Plan, readers: Readers, server: Server) -> None:
    """Raise SourceError when a key that no index holds unique has several rows."""
    if read.relation.is_unique(read.spec.key):
        return
    columns = ", ".join(each.column for each in read.key)
    rows = readers.table(
        f"select {key_text(read)} as k, _n from (select {columns}, count(*) as _n from {read.table}"
        f"{read.accepted()} group by {columns} having count(*) > 1 order by {columns} limit 3) as t"
    ).to_pylist()
    if rows:
        shown = "; ".join(f"{row['k']} has {row['_n']} rows" for row in rows)
        raise SourceError(
            f"{server.table(read.spec.name)}: key ({', '.join(read.spec.key)}) is not unique:"
            f" {shown}; name the columns that tell rows apart under `key:` in warehouse.yml"
        )


def needs_text(read: Plan, readers: Readers) -> frozenset[str]:
    """Return the raw columns that hold a value which fits no narrower type than text."""
    asked = [each for each in read.fields if each.rule != "hmac" and each.reading.widens]
    if not asked:
        return frozenset()
    answers = ", ".join(
        f"coalesce(bool_or({each.at_source(each.reading.widens or '')}), false)"
        f" as {quoted(each.name)}"
        for each in asked
    )
    row = readers.table(f"select {answers} from {read.table}{read.accepted()}").to_pylist()[0]
    return frozenset(name for name, is_so in row.items() if is_so)


def quarantined(read: Plan, readers: Readers, where: str) -> list[dict[str, str | None]]:
    """Return the rows that raw cannot hold, as the package keeps them."""
    reasons = [
        (f"{each.column} is null", "key is null", each)
        for each in read.key
        if not each.source.not_null
    ] + [
        (each.at_source(each.reading.rejects), _reason(each.raw), each)
        for each in read.fields
        if each.reading.rejects
    ]
    if not reasons:
        return []
    cases = " ".join(f"when {test} then {n}" for n, (test, _, _) in enumerate(reasons))
    condition = " and ".join(f"({part})" for part in (where, read.rejects) if part)
    rows = readers.table(
        f"select (case {cases} end)::int as n, {key_text(read)} as k, {row_text(read)} as p"
        f" from {read.table} where {condition}"
    ).to_pylist()
    return [
        {
            "reason": reasons[row["n"]][1],
            "field": reasons[row["n"]][2].source.name,
            "row_key": row["k"],
            "payload": row["p"] or "{}",
        }
        for row in rows
    ]


def refuse_rewritten(read: Plan, readers: Readers, server: Server) -> None:
    """Raise SourceError when the table was rewritten between the snapshot and its reading.

    TRUNCATE and rewriting ALTERs are not transactional to older snapshots: the table looks empty.
    A select of pg_class shows the snapshot's file, the function the file of now.
    """
    members = ", ".join(str(oid) for oid in read.relation.members) or "0"
    answer = readers.table(
        "select coalesce(bool_and(pg_relation_filenode(oid) is not distinct from"
        f" nullif(relfilenode, 0)), false) as same from pg_class where oid in ({members})"
    ).to_pylist()[0]
    if not answer["same"]:
        raise SourceError(
            f"{server.table(read.spec.name)}: the table was truncated or rewritten while it was"
            " read; run again"
        )


def _reason(raw: str) -> str:
    if raw.endswith("[]"):
        return "array does not start at index 1"
    return "time is after the last that raw can hold (294247-01-10)"
