"""Install Apache Superset, run it for a test, and talk to it as its pages do."""

import contextlib
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from localserver import processes

HERE = Path(__file__).parent
LOCK = HERE / "requirements-superset.txt"
USER, DATABASE = "admin", "Commerce Warehouse"


def installed(environment: Path) -> Path:
    """Return the program `superset` of an environment, made from the lock where it is not yet."""
    stamp, key = environment / ".installed", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != key:
        python = environment / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--no-deps", "--require-hashes"]
        subprocess.run([*install, "-r", str(LOCK)], check=True)
        stamp.write_text(key)
    return environment / "bin" / "superset"


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart: a sum per value of a column, of a public table."""

    title: str
    schema: str
    table: str
    column: str
    measure: str

    @property
    def metric(self) -> dict[str, str]:
        """The sum, as Superset takes it."""
        text = f"sum({self.measure})"
        return {"expressionType": "SQL", "sqlExpression": text, "label": self.measure}


@dataclass(frozen=True, slots=True)
class Superset:
    """A Superset that runs, and a token of its administrator."""

    url: str
    password: str
    token: str

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return what the API answers, fractions as Decimal; AssertionError where it refuses."""
        return _call(f"{self.url}/api/v1/{path}", method, body, self.token)

    def connect(self, dsn: str) -> int:
        """Register the warehouse as a user does; return the number of the database."""
        address = dsn.replace("postgresql://", "postgresql+psycopg2://")
        body = {"database_name": DATABASE, "sqlalchemy_uri": address}
        return self.call("POST", "database/", body)["id"]

    def dataset(self, database: int, schema: str, table: str) -> dict[str, Any]:
        """Make a data set of a table and return what Superset found out about it."""
        body = {"database": database, "schema": schema, "table_name": table}
        made = self.call("POST", "dataset/", body)["id"]
        return self.call("GET", f"dataset/{made}")["result"]

    def rows(self, dataset: int, chart: Chart) -> list[tuple[Any, ...]]:
        """Return the rows that a chart is drawn from, largest first."""
        query = {
            "columns": [chart.column],
            "metrics": [chart.metric],
            "orderby": [[chart.measure, False], [chart.column, True]],
            "row_limit": 1000,
        }
        body = {"datasource": {"id": dataset, "type": "table"}, "queries": [query]}
        [answer] = self.call("POST", "chart/data", body)["result"]
        return [(row[chart.column], row[chart.measure]) for row in answer["data"]]

    def dashboard(self, title: str, charts: Sequence[tuple[int, Chart]]) -> int:
        """Make a page of charts, one above the other, from their data sets; return its number."""
        made = self.call("POST", "dashboard/", {"dashboard_title": title})["id"]
        layout: dict[str, Any] = {
            "DASHBOARD_VERSION_KEY": "v2",
            "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
            "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        }
        for dataset, chart in charts:
            self._add(layout, made, dataset, chart)
        self.call("PUT", f"dashboard/{made}", {"position_json": json.dumps(layout)})
        return made

    def _add(self, layout: dict[str, Any], dashboard: int, dataset: int, chart: Chart) -> None:
        drawn = {
            "viz_type": "echarts_timeseries_bar",
            "datasource": f"{dataset}__table",
            "x_axis": chart.column,
            "metrics": [chart.metric],
            "groupby": [],
            "adhoc_filters": [],
            "row_limit": 100,
            "orientation": "vertical",
            "x_axis_sort": chart.measure,
            "x_axis_sort_asc": False,
            "y_axis_format": "SMART_NUMBER",
            "show_value": True,
        }
        body = {
            "slice_name": chart.title,
            "viz_type": drawn["viz_type"],
            "datasource_id": dataset,
            "datasource_type": "table",
            "params": json.dumps(drawn),
            "dashboards": [dashboard],
        }
        number = self.call("POST", "chart/", body)["id"]
        row, place = f"ROW-{number}", f"CHART-{number}"
        layout["GRID_ID"]["children"].append(row)
        layout[row] = {
            "type": "ROW",
            "id": row,
            "children": [place],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        layout[place] = {
            "type": "CHART",
            "id": place,
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID", row],
            "meta": {"chartId": number, "uuid": str(uuid4()), "width": 12, "height": 34},
        }


@contextlib.contextmanager
def running(program: Path, folder: Path) -> Iterator[Superset]:
    """Start a Superset of its own in `folder`, with SQLite for its own data, and end it."""
    password, port = secrets.token_urlsafe(16), processes.free_port(str(folder), frozenset())
    surroundings = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "SUPERSET_HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
        "SUPERSET_SECRET_KEY": secrets.token_urlsafe(42),
        "FLASK_APP": "superset",
    }
    admin = ["--username", USER, "--firstname", "A", "--lastname", "B", "--email", "a@b.example"]
    with (folder / "superset.log").open("w") as log:
        for words in (
            ["db", "upgrade"],
            ["fab", "create-admin", *admin, "--password", password],
            ["init"],
        ):
            command = [str(program), *words]
            subprocess.run(command, env=surroundings, stdout=log, stderr=log, check=True)
        command = [str(program), "run", "-h", "127.0.0.1", "-p", str(port), "--with-threads"]
        process = subprocess.Popen(command, env=surroundings, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/health", process)
            login = {"username": USER, "password": password, "provider": "db"}
            answer = _call(f"{url}/api/v1/security/login", "POST", login, None)
            yield Superset(url, password, answer["access_token"])
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.5)
    raise AssertionError("Superset did not start; see superset.log in the test's folder")


def _call(url: str, method: str, body: Mapping[str, Any] | None, token: str | None) -> Any:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer, parse_float=Decimal)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()}") from error
