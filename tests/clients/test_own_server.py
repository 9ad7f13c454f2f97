"""A PostgreSQL of somebody else's, older and reached by TLS alone, takes versions as ours does."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from localserver.postgres_server import PostgresServer
from tests.cli.test_versions import CONFIGURATION
from tests.clients.conftest import add_version, missing
from warehouse import config
from warehouse.publish import status, versions

DEBIAN = Path("/usr/lib/postgresql/15/bin")


class DebianServer(PostgresServer):
    """PostgreSQL 15 of the distribution, with a certificate for localhost."""

    def _binary(self, name: str) -> str:
        return str(DEBIAN / name)

    def _configure(self, port: int) -> None:
        super()._configure(port)
        for name in ("server.crt", "server.key"):
            file = self.data / name
            if not file.exists():
                file.write_bytes((self.directory / name).read_bytes())
                file.chmod(0o600)
                self._give(file)
        rules = self.data / "pg_hba.conf"
        rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianServer]:
    if not (DEBIAN / "initdb").exists():
        missing(f"no PostgreSQL 15 of the distribution in {DEBIAN}")
    folder = tmp_path_factory.mktemp("debian")
    files = ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, *files],
        check=True,
        capture_output=True,
    )
    server = DebianServer(folder, settings={"ssl": "on", "fsync": "off"})
    server.start()
    yield server
    server.delete()


def test_versions_are_published_there_by_tls(debian: DebianServer, tmp_path: Path) -> None:
    dsn = debian.dsn().replace("127.0.0.1", "localhost")
    checked = f"{dsn}?sslmode=verify-full&sslrootcert={debian.directory / 'server.crt'}"
    path = tmp_path / "warehouse.yml"
    path.write_text(f"publication: {{ postgres: '{checked}' }}\n{CONFIGURATION}", encoding="utf-8")
    settings = config.load(path)
    settings.published_directory.mkdir(parents=True)
    add_version(settings, 1)
    versions.catch_up(settings)
    assert status.targets_of(settings)[1] == {
        "name": "postgres",
        "version": "v000001",
        "lags": False,
        "problem": None,
    }
    with psycopg.connect(checked) as connection:
        assert connection.info.server_version // 10000 == 15
        assert connection.pgconn.ssl_in_use
        connection.execute("set role bi_reader")
        assert connection.execute("select sum(net_amount)::text from core.orders").fetchone() == (
            "7.50",
        )
    with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry|no encryption"):
        psycopg.connect(f"{dsn}?sslmode=disable")
