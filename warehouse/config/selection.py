"""Understand SOURCE and SOURCE.TABLE as a user writes them."""

import difflib
from collections.abc import Iterable

from extractors.errors import ConfigError
from warehouse.config.models import Settings

SourceTable = tuple[str, str]


def selection(settings: Settings, names: Iterable[str] = ()) -> list[SourceTable]:
    """Return the (source, table) pairs that the names mean, as configured; no names: all of them.

    An entity of a single-table design means the table that it is read from.
    """
    every = [(name, table) for name, source in settings.sources.items() for table in source.tables]
    wanted = {pair for name in names for pair in _meant(settings, name)}
    return [pair for pair in every if pair in wanted] if wanted else every


def table_named(settings: Settings, name: str) -> SourceTable:
    """Return the (source, table) that SOURCE.TABLE means."""
    if "." not in name:
        raise ConfigError(f"{name}: write SOURCE.TABLE{_like(name + '.', _tables(settings))}")
    return _meant(settings, name)[0]


def _meant(settings: Settings, name: str) -> list[SourceTable]:
    source_name, dot, table = name.partition(".")
    source = settings.sources.get(source_name)
    if source is None:
        raise ConfigError(
            f"{name}: no source {source_name} in {settings.path.name}"
            f"{_like(source_name, settings.sources)}"
        )
    if not dot:
        return [(source_name, each) for each in source.tables]
    if table in source.tables:
        return [(source_name, table)]
    for each in source.tables:
        if table in source.entities(each):
            return [(source_name, each)]
    raise ConfigError(
        f"{name}: no table {table} under sources.{source_name} in {settings.path.name}"
        f"{_like(name, _tables(settings))}"
    )


def _tables(settings: Settings) -> list[str]:
    return [
        f"{name}.{known}"
        for name, source in settings.sources.items()
        for table in source.tables
        for known in dict.fromkeys((table, *source.entities(table)))
    ]


def _like(written: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(written, names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    shown = ", ".join(names[:8])
    return f"; there are {shown}" + (", …" if len(names) > 8 else "")
