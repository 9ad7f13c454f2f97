"""Connect to DynamoDB."""

from typing import Any

import boto3
from botocore.config import Config

from extractors.errors import ConfigError


class EndpointError(ConfigError, ValueError):
    """The endpoint is no address (a ValueError to botocore)."""


def dynamodb_client(region: str, endpoint: str | None = None, attempts: int = 4) -> Any:
    """Return a client. It connects at its first call, so an unreachable one shows there.

    botocore itself retries little: a scan slows down and tries again for minutes, and so does
    what writes, which wants even fewer `attempts` of botocore's.
    """
    try:
        return boto3.client(
            "dynamodb",
            region_name=region,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                max_pool_connections=32,
                retries={"mode": "standard", "total_max_attempts": attempts},
            ),
        )
    except ValueError as error:
        raise EndpointError(
            f"{error}; give the DynamoDB endpoint as an address such as http://localhost:8000"
        ) from None
