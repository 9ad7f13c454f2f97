"""Connect to DynamoDB."""

from typing import Any

import boto3
from botocore.config import Config


def dynamodb_client(region: str, endpoint: str | None = None) -> Any:
    """Return a client for scans. It connects at its first call, so a wrong address shows there.

    botocore itself retries little: the scan slows down and tries again for minutes.
    """
    return boto3.client(
        "dynamodb",
        region_name=region,
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=32,
            retries={"mode": "standard", "total_max_attempts": 4},
        ),
    )
