"""The DynamoDB emulator's own process: moto, with the demo's items loaded from files."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from demo.dynamodb_files import ItemFile
from demo.dynamodb_table import DemoTable
from demo.tables import DYNAMODB_TABLES, REGION

# Seconds between two looks at whether the process is still known; a test waits for one.
PATIENCE = 2

# What a scan may say and still be a plain one.
PLAIN = {
    "TableName",
    "Limit",
    "ExclusiveStartKey",
    "Segment",
    "TotalSegments",
    "ConsistentRead",
    "ReturnConsumedCapacity",
}

# How the names of operations begin that write nothing.
READING = ("Get", "BatchGet", "Query", "Describe", "List")


def create_tables(folder: Path) -> str:
    """Create the demo's tables in moto with the items in `folder`; return those items' version."""
    backend = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION]
    version = folder / "version"
    # Without a version the files are those of a write that was killed.
    loaded = version.read_text() if version.exists() else ""
    for name, names in DYNAMODB_TABLES.items():
        # moto's metaclass hides the class from a type checker.
        table: Any = DemoTable(
            name,
            account_id=DEFAULT_ACCOUNT_ID,
            region=REGION,
            schema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(names, ("HASH", "RANGE"), strict=True)
            ],
            attr=[{"AttributeName": key, "AttributeType": "S"} for key in names],
            billing_mode="PAY_PER_REQUEST",
        )
        table.serve(ItemFile(folder if loaded else None, name, names))
        backend.tables[name] = table
    return loaded


def is_plain(request: dict[str, Any]) -> bool:
    """Return whether a scan asks for whole items in order, with arguments that are valid."""
    segment, segments = request.get("Segment"), request.get("TotalSegments")
    if (segment is None) != (segments is None) or (segment or 0) >= (segments or 1):
        return False
    return request.keys() <= PLAIN and request.get("Limit", 1) > 0


class QuickScans:
    """Answers plain scans of the demo's tables itself and leaves every other request to moto.

    moto sorts the whole table for every page, needs half a millisecond to serialise an item and
    5 kB of memory to hold it. The pages are moto's, item by item.
    """

    def __init__(self, moto: DomainDispatcherApplication) -> None:
        self._moto = moto
        # Another region has no such tables, and moto says so.
        self._scope = f"/{REGION}/dynamodb/"
        self._tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        here = self._scope in environ.get("HTTP_AUTHORIZATION", "")
        operation = environ.get("HTTP_X_AMZ_TARGET", "").removeprefix("DynamoDB_20120810.")
        if not here or operation != "Scan":
            answered = self._moto(environ, start)
            if not operation.startswith(READING):
                for table in self._tables.values():
                    if isinstance(table, DemoTable):
                        table.touch()
            return answered
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = json.loads(body)
        table = self._tables.get(request.get("TableName"))
        if not isinstance(table, DemoTable) or not is_plain(request):
            environ["wsgi.input"] = BytesIO(body)
            return self._moto(environ, start)
        answer = table.page(request)
        headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("Content-Length", str(len(answer))),
        ]
        start("200 OK", headers)
        return [answer]


class KeptConnections(WSGIRequestHandler):
    """HTTP/1.1, so that a client keeps its connection from page to page."""

    protocol_version = "HTTP/1.1"


def serve(folder: Path, port: int, ready: Callable[[], None]) -> None:
    """Load the items, say that they are there, and serve until the process is ended."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    loaded = create_tables(folder)
    application = QuickScans(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=KeptConnections
    )
    (folder / "served").write_text(loaded)
    pid = folder / "pid"
    pid.write_text(f"{os.getpid()}\n")
    ready()
    Thread(target=end_when_forgotten, args=(pid,), daemon=True).start()
    server.serve_forever()


def end_when_forgotten(pid: Path) -> None:
    """End this process once nobody can find it: its folder was removed, or another took over."""
    while pid.exists() and pid.read_text().strip() == str(os.getpid()):
        time.sleep(PATIENCE)
    os._exit(0)


def main() -> None:
    """Serve in the background: `python -m demo.dynamodb_process FOLDER PORT`.

    The command returns 0 when the server answers and 1 when it could not start.
    """
    folder = Path(sys.argv[1]).resolve()
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        os._exit(0 if os.read(told, 1) else 1)
    os.close(told)
    os.setsid()
    # A job that a script puts in the background ignores SIGINT, Dagster then SIGTERM too, and
    # this process would inherit that: `demo down` would wait for it until it is killed.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir(folder)

    def ready() -> None:
        os.write(tell, b"1")
        os.close(tell)

    serve(folder, int(sys.argv[2]), ready)


if __name__ == "__main__":
    main()
