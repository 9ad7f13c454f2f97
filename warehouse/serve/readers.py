"""Give the readers of a PostgreSQL that others run a password."""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from psycopg import conninfo, errors

from extractors.errors import ConfigError
from warehouse.config import Settings
from warehouse.engines import postgres_engine, postgres_reader_roles, postgres_roles
from warehouse.engines.postgres_readers import Reader

# What readers need of the publisher's address, besides where it is.
_PASSED_ON = ("sslmode", "sslrootcert", "hostaddr")


def readers_of(settings: Settings) -> tuple[Reader, ...]:
    """Return the configured readers."""
    return tuple(
        Reader(name, tuple(reader.schemas), tuple(reader.cells or ()))
        for name, reader in settings.publication.readers.items()
    )


def require_reader(settings: Settings, name: str) -> str:
    """Return the role of a configured reader; ConfigError for another name."""
    readers = settings.publication.readers
    if name not in readers:
        there = ", ".join(readers) or "none"
        roles = {postgres_reader_roles.role_of(reader): reader for reader in readers}
        meant = f"; {name} is the role of {roles[name]}, name that" if name in roles else ""
        raise ConfigError(
            f"publication.readers: there is no reader {name}; there are {there}{meant}"
        )
    return postgres_reader_roles.role_of(name)


def let_in(address: str, name: str) -> str:
    """Give a reader a new password at a server, and return the address to connect with.

    The password is kept nowhere. ConfigError where the publisher may not set it.
    """
    role = postgres_reader_roles.role_of(name)
    password = secrets.token_urlsafe(24)
    with postgres_engine.connected(address) as connection:
        postgres_reader_roles.make(connection, [role])
        try:
            postgres_roles.set_reader(connection, role, password)
        except errors.InsufficientPrivilege as error:
            raise ConfigError(
                f"publication.readers.{name}: {connection.info.user} may not give {role} a"
                f" password ({error.diag.message_primary}); the server's administrator may"
            ) from None
    return address_of(role, password, address)


def address_of(role: str, password: str, address: str) -> str:
    """Return the URL by which a role gets to the database of the publisher's address."""
    parts = conninfo.conninfo_to_dict(address)
    passed = urlencode({key: parts[key] for key in _PASSED_ON if key in parts})
    database = quote(str(parts.get("dbname") or parts.get("user") or ""), safe="")
    login = f"{role}:{quote(password)}"
    return f"postgresql://{login}@{_places(parts)}/{database}{passed and '?' + passed}"


def _places(parts: Mapping[str, Any]) -> str:
    """Return hosts and ports as a URL has them: libpq takes several, and folders of sockets."""
    hosts = str(parts.get("host") or "localhost").split(",")
    ports = str(parts.get("port") or 5432).split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    return ",".join(
        f"{f'[{host}]' if ':' in host else quote(host, safe='')}:{port}"
        for host, port in zip(hosts, ports, strict=True)
    )
