"""The configuration that `warehouse init` writes."""

TEMPLATE = """\
# Commerce Warehouse. Every key is listed here; those behind a # show their default.
# ${NAME} and ${NAME:-default} are taken from the environment, then from a file .env beside this
# one. Relative paths are from this file. `warehouse check` reads it and asks the sources.

warehouse:
  home: ./var                        # everything it writes: landing, build database, versions, logs
  # engine: duckdb                   # where raw and marts are built
  # dbt_project: ./dbt_project       # your own copy of the models; else those that are shipped
  # landing: ./var/landing           # load packages, as read from the sources
  # reporting_currency: GBP          # ISO 4217; the currency of the marts' amounts
  # reporting_time_zone: Europe/London   # IANA name; where a day begins
  # clock: system                    # or a file that holds "now" as 2011-09-01T00:00:00Z

# publication:
#   keep: 10                         # versions kept; one that is open for reading always stays
#   postgres: embedded               # where BI tools connect (`warehouse serve`), or an address
#   detail_rows: 20000000            # larger tables are in the DuckDB file only
#   tables: views                    # or physical: copies with keys that BI tools draw a model by
#   readers:                         # roles that read a part, bi_finance say, beside bi_reader
#     finance: { schemas: [affiliate, core] }
#     home: { schemas: [core], cells: [main] }   # only the rows of these cells, in home_core

# load:                              # a load fails when more of a package's rows do not fit
#   max_quarantined_share: 0.01
#   max_quarantined_rows: 1000

# retention:                         # days; `warehouse prune --dry-run` says what would go
#   landing_days: 30                 # load packages; `rebuild --known-at` reaches so far back
#   history_days: 1000               # replaced versions of rows; all are kept when absent
#   rejected_days: 90                # packages that were refused
#   log_days: 90
#   automatic: true                  # runs prune too, once a day

# exports:
#   dynamodb:                        # for `warehouse export … --to dynamodb://TABLE`
#     region: eu-west-2              # that of the only DynamoDB source when absent
#     endpoint: http://localhost:8000   # only for an emulator
#     grace_minutes: 60              # how long superseded lists stay

sources:
  shop:                              # its raw tables are raw_shop.<table>
    kind: postgres
    dsn: ${SHOP_DSN}                 # postgresql://reader:password@host:5432/shop
    # cells: { eu: "${SHOP_EU_DSN}", us: "${SHOP_US_DSN}" }   # instead of dsn: several databases
    # read_from: primary             # primary | replica
    # heartbeat: ops.heartbeat.ts    # a time that the primary keeps current: how old a replica is
    tables:
      orders:
        key: [order_id]              # the columns that identify a row
        cursor: updated_at           # the column that changes whenever a row does
        # mode: incremental          # incremental | full (every row at every run)
        # deletes: reconcile         # reconcile | ignore
        # history: false             # true also keeps every version of a row
        # global: false              # true where the key means the same row in every cell
      order_lines: { key: [order_line_id] }
      users:       { key: [user_id] }

  activity:
    kind: dynamodb
    region: eu-west-2
    # endpoint: ${DYNAMODB_ENDPOINT:-}   # only for an emulator
    # read_capacity: 25%             # of the provisioned capacity, or read units per second
    # segments: 4                    # parts of a table scanned at the same time
    tables:
      campaign_events:
        read: scan                   # scan is the only way in this version
        # consistent: false          # true reads strongly consistently, at twice the capacity
        # columns: { price: "DECIMAL(18,4)" }   # attributes with a type of their own
      shop_activity:                 # a single-table design: items go to tables by their attributes
        route:
          - when: { sk: { begins_with: "CART#" } }   # begins_with | equals | exists
            entity: cart_events      # raw_activity.cart_events
            columns: { quantity: BIGINT }
          - when: { type: { equals: search } }
            entity: searches

# Personal columns, before anything is written: hmac (a keyed hash), year (of a date), drop.
pii:
  shop.users: { email: hmac, name: drop, birth_date: year }
pii_keys:
  k1: ${PII_KEY}                     # the last key is used for new values; 16 characters or more
"""
