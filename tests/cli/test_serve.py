"""`warehouse serve`: started, adopted, stopped, and what it says."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from cli import inspection
from localserver import processes
from tests.cli.command import REPOSITORY, Command
from tests.cli.test_versions import CONFIGURATION, shown
from tests.clients.conftest import add_version
from warehouse import config
from warehouse.publish import versions
from warehouse.serve import embedded

EMBEDDED = "publication: { postgres: embedded }\n" + CONFIGURATION


def answer(dsn: str) -> object:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select version from meta.publication").fetchone()


def test_a_server_is_left_running_taken_over_and_stopped(warehouse: Command) -> None:
    path = warehouse.directory / "warehouse.yml"
    path.write_text(EMBEDDED)
    settings = config.load(path)
    settings.published_directory.mkdir(parents=True)
    for number in (1, 2):
        add_version(settings, number)
    versions.switch(settings.published_directory, "v000002")
    lags = json.loads(warehouse("status", "--json").stdout)["targets"][1]
    assert (lags["version"], lags["lags"]) == (None, True)
    assert "`warehouse serve --detach` starts it" in lags["problem"]
    port = processes.free_port(str(path))
    try:
        first = json.loads(warehouse("serve", "--detach", "--json", "--port", str(port)).stdout)
        assert first["version"] == "v000002"
        assert f"@127.0.0.1:{port}/warehouse" in first["dsn"]
        assert answer(first["dsn"]) == ("v000002",)
        assert "it runs on port" in warehouse.fails(2, "serve", "--detach", "--port", "1234")

        # the versions that there are, there too
        assert warehouse("rollback").returncode == 0
        assert answer(first["dsn"]) == ("v000001",)

        # it goes on when whoever started it in the foreground is killed, and is taken over
        _killed_in_the_foreground(path)
        text = warehouse("serve", "--detach").stdout
        assert text == f"readers connect to {first['dsn']}\nthey see v000001\n"

        renewed = json.loads(warehouse("serve", "--detach", "--json", "--rotate-password").stdout)
        assert renewed["dsn"] != first["dsn"]
        assert answer(renewed["dsn"]) == ("v000001",)
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            answer(first["dsn"])

        _ended_in_the_foreground(path)
        assert json.loads(warehouse("serve", "--stop", "--json").stdout) == {"stopped": False}
        assert shown(warehouse) == "v000001"
        assert warehouse("serve", "--stop", "--delete").stdout == "it did not run\n"
        assert not embedded.server(settings).directory.exists()
    finally:
        embedded.server(settings).delete()


def _foreground(path: Path) -> "subprocess.Popen[str]":
    """Start `warehouse serve` and wait until it has said where readers connect."""
    serving = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--config", str(path), "serve"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    assert serving.stdout.readline().startswith("readers connect to postgresql://bi_reader:")
    return serving


def _killed_in_the_foreground(path: Path) -> None:
    with _foreground(path) as serving:
        serving.kill()


def _ended_in_the_foreground(path: Path) -> None:
    with _foreground(path) as serving:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0


def test_it_is_said_what_it_needs(warehouse: Command) -> None:
    path = warehouse.directory / "warehouse.yml"
    path.write_text(CONFIGURATION)
    assert "needs publication.postgres: embedded" in warehouse.fails(2, "serve")
    path.write_text(EMBEDDED)
    assert "--stop goes with --delete and --json alone" in warehouse.fails(
        2, "serve", "--stop", "--detach"
    )
    assert warehouse("serve", "--stop").stdout == "it did not run\n"
    (note,) = inspection.inspect(config.load(path)).notes
    assert note.endswith("does not run; `warehouse serve --detach` starts it")
    path.write_text(
        CONFIGURATION + "publication: { postgres: postgresql://a:b@bi.example/marts }\n"
    )
    problems = inspection.inspect(config.load(path)).problems
    assert "bi.example is another machine" in problems[-1].message
