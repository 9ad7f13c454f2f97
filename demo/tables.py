"""Names, columns and keys of the shop's tables, in PostgreSQL and in DynamoDB."""

REGION = "eu-west-2"

# table -> (hash key, range key), both text
DYNAMODB_TABLES = {"campaign_events": ("event_id", "received_at"), "shop_activity": ("pk", "sk")}
