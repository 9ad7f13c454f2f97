"""Stand between a client and the DynamoDB emulator, and break what is asked for."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

THROTTLED = "ProvisionedThroughputExceededException"
# (number of the call, operation, the request) -> what to do, see `Proxy`
Plan = Callable[[int, str, dict[str, Any]], str]


@dataclass
class Proxy:
    """Answers as the emulator does, except where `plan` says otherwise.

    It says `throttle` (nothing is done), `half` (of a batch, the other half is unprocessed),
    `lose` (done, but the answer never comes), or nothing. Calls are numbered from 1.
    """

    upstream: str
    plan: Plan = lambda *_: ""
    calls: list[str] = field(default_factory=list)
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes] | None:
        operation = headers["X-Amz-Target"].partition(".")[2]
        request = json.loads(body)
        with self._lock:
            self.calls.append(operation)
            what = self.plan(len(self.calls), operation, request)
        if what == "throttle":
            error = {"__type": f"com.amazonaws.dynamodb.v20120810#{THROTTLED}", "message": "slow"}
            return 400, json.dumps(error).encode()
        left: dict[str, Any] = {}
        if what == "half":
            ((table, requests),) = request["RequestItems"].items()
            half = len(requests) // 2
            left = {table: requests[half:]}
            request["RequestItems"] = {table: requests[:half]}
            if not half:
                return 200, json.dumps({"UnprocessedItems": left}).encode()
        status, answer = self._forward(headers, json.dumps(request).encode())
        if left:
            answer = json.dumps(json.loads(answer) | {"UnprocessedItems": left}).encode()
        return None if what == "lose" else (status, answer)

    def _forward(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() not in ("host", "content-length", "connection", "accept-encoding")
        }
        request = urllib.request.Request(self.upstream, body, kept)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()


@contextmanager
def standing_before(upstream: str) -> Iterator[Proxy]:
    """Give a proxy that listens on a port of its own."""
    proxy = Proxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = proxy.answer(dict(self.headers.items()), body)
            if answer is None:
                self.close_connection = True
                return
            status, content = answer
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join(10)
