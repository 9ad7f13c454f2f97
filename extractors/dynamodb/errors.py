"""Say in one line what DynamoDB refused and what to do about it."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's own, not the built-in one
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from extractors.dynamodb.pages import THROTTLES
from extractors.errors import SourceError


class UndecodableError(SourceError):
    """The pages of a finished scan cannot be decoded completely."""


_ADVICE = {
    "ResourceNotFoundException": "no such table; check its name, the region and the endpoint",
    "AccessDeniedException": (
        "access denied; grant dynamodb:DescribeTable and dynamodb:Scan on it"
    ),
    "UnrecognizedClientException": "the credentials are not valid here; check the access key",
    "InvalidSignatureException": "the credentials are not valid; check the secret key",
    "IncompleteSignatureException": "the credentials are not valid; check the access key",
    "MissingAuthenticationTokenException": "no credentials were sent; set AWS credentials",
    "ExpiredTokenException": "the session token has expired; get new credentials",
    "ValidationException": "the request was refused; check the table name",
} | dict.fromkeys(
    THROTTLES,
    "throttled for too long; lower read_capacity, or raise the table's own read capacity",
)


def place(client: Any, table: str) -> str:
    """Return the table with its region and endpoint, as error messages name it."""
    return f"DynamoDB table {table} ({client.meta.region_name}, {client.meta.endpoint_url})"


def code_of(error: ClientError) -> str:
    """Return the service's code of an error."""
    return error.response.get("Error", {}).get("Code", "unknown")


@contextmanager
def explained(
    client: Any,
    table: str,
    advice_of: Mapping[str, str] | None = None,
    passing: Collection[str] = (),
) -> Iterator[None]:
    """Raise what botocore raises as a SourceError of one line.

    `advice_of` says by code what to do, before what is said to those who scan. A ClientError whose
    code is `passing` is raised as it is: the caller knows what it means.
    """
    where = place(client, table)
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in passing:
            raise
        message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
        advices = _ADVICE | dict(advice_of or {})
        advice = advices.get(code, "check the table and the permissions")
        raise SourceError(f"{where}: {advice} [{code}{': ' if message else ''}{message}]") from None
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise SourceError(
            f"{where}: no AWS credentials found ({_line(error)}); set AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, a profile or a role"
        ) from None
    except (ConnectionError, HTTPClientError) as error:
        raise SourceError(
            f"{where}: cannot be reached ({_line(error)}); check the endpoint, the region and the"
            " network"
        ) from None
    except BotoCoreError as error:
        raise SourceError(f"{where}: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
