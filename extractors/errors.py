"""Errors that a user can act on: one line saying what, where and what to do."""


class WarehouseError(Exception):
    """Base of all errors shown to the user as one line, without a traceback."""

    exit_code = 1


class AuditError(WarehouseError):
    """An audit, certificate or quarantine limit failed."""

    exit_code = 1


class ConfigError(WarehouseError):
    """The configuration or the command line cannot be used as it is."""

    exit_code = 2


class SourceError(WarehouseError):
    """A source or engine cannot be reached, or refuses what was asked."""

    exit_code = 3
