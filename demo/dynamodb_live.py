"""Put and delete items of the running emulator, as an application that writes to it would."""

import json
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from demo.dynamodb_files import ItemFile, Key
from demo.tables import DYNAMODB_TABLES, REGION
from extractors.errors import SourceError

# As many as BatchWriteItem takes.
BATCH = 25

HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
    # Names account and region; the emulator checks no signature.
    "Authorization": f"AWS4-HMAC-SHA256 Credential=demo/20260101/{REGION}/dynamodb/aws4_request",
}


def apply(port: int, table: str, file: ItemFile, put: Sequence[int], delete: Sequence[Key]) -> None:
    """Put the items of some rows of `file` and delete others by key; SourceError if refused.

    The lines of the file are sent as they are: boto3 would write bytes and numbers anew.
    """
    requests = [
        json.dumps({"DeleteRequest": {"Key": {name: {"S": part} for name, part in named}}})
        for named in (zip(DYNAMODB_TABLES[table], key, strict=True) for key in delete)
    ]
    requests += [
        f'{{"PutRequest":{{"Item":{file.text(row, row + 1).decode().rstrip()}}}}}' for row in put
    ]
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        for first in range(0, len(requests), BATCH):
            batch = ",".join(requests[first : first + BATCH])
            body = f'{{"RequestItems":{{{json.dumps(table)}:[{batch}]}}}}'
            connection.request("POST", "/", body.encode(), HEADERS)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            if answer.status != 200:
                raise SourceError(f"the DynamoDB emulator refused items of {table}: {text[:200]}")
    except (OSError, HTTPException) as error:
        raise SourceError(f"the DynamoDB emulator at port {port}: {error}") from error
    finally:
        connection.close()
