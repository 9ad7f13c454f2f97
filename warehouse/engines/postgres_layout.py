"""What the schema `store` keeps of versions, and the views that tell readers of it."""

META, PUBLICATION = "meta", "publication"
LAYOUT = """
CREATE SCHEMA IF NOT EXISTS store;
CREATE TABLE IF NOT EXISTS store.versions (
  version text PRIMARY KEY, as_of timestamptz NOT NULL, published_at timestamptz NOT NULL,
  complete_up_to timestamptz);
CREATE TABLE IF NOT EXISTS store.contents (
  version text NOT NULL, table_schema text NOT NULL, table_name text NOT NULL,
  row_count bigint NOT NULL, content_hash text NOT NULL, stored_as text,
  PRIMARY KEY (version, table_schema, table_name));
CREATE TABLE IF NOT EXISTS store.shown (version text NOT NULL);
ALTER TABLE store.shown ADD COLUMN IF NOT EXISTS made_of text NOT NULL DEFAULT 'views';
ALTER TABLE store.shown ADD COLUMN IF NOT EXISTS readers text NOT NULL DEFAULT '';
CREATE TABLE IF NOT EXISTS store.readers (
  version text NOT NULL, schema_name text NOT NULL, made_as text NOT NULL,
  PRIMARY KEY (version, schema_name));
CREATE TABLE IF NOT EXISTS store.current (version text NOT NULL);
CREATE TABLE IF NOT EXISTS store.schemas (schema_name text PRIMARY KEY);
REVOKE ALL ON SCHEMA store FROM PUBLIC;
"""
# What every reader can join to say which version an answer is of, and what it holds.
FACTS = {
    PUBLICATION: (
        "SELECT version, as_of, published_at, complete_up_to FROM store.versions"
        " WHERE version = {version}",
        "One row: the version that these schemas show.",
        {
            "version": "Its name, such as v000012.",
            "as_of": "No row uses data of a later time.",
            "published_at": "When it was made.",
            "complete_up_to": "The time before which the data of every source are in.",
        },
    ),
    "published_tables": (
        "SELECT table_schema, table_name, row_count, content_hash, stored_as IS NOT NULL AS is_here"
        " FROM store.contents WHERE version = {version}",
        "One row per table of this version.",
        {
            "table_schema": "The schema that it belongs to.",
            "table_name": "Its name there.",
            "row_count": "Its rows.",
            "content_hash": "Equal for equal rows, in whichever version.",
            "is_here": "Whether it is in this database: a table of more than"
            " publication.detail_rows rows is only in the DuckDB file.",
        },
    ),
}


def pinned_name(version: str, schema: str) -> str:
    """Return the name of a version's own schema."""
    return f"{version}_{schema}"
