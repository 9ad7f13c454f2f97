"""`warehouse status` and `warehouse versions`: what is loaded, built and shown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.shared import as_json, examples, print_json, print_table, settings_of, size_text, time_text
from extractors.errors import ConfigError

if TYPE_CHECKING:
    from warehouse.publish.side import SideVersion
    from warehouse.publish.versions import Version

NOTHING_YET = "nothing is published yet; run `warehouse run` first"


@click.command(epilog=examples("warehouse status", "warehouse status --json"))
@as_json
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show where each table and mart stands, and the version that readers see.

    Reads what is published and the state folder, never the build database: it answers while a
    run is working. Exits with 2 when no version is published yet.
    """
    settings = settings_of(ctx)

    from warehouse.publish import status as published_status
    from warehouse.publish import versions

    found = published_status.status(settings)
    if as_json:
        print_json(found)
    else:
        _print_status(found, versions.newest_version(settings))
    if found["version"] is None:
        raise ConfigError(NOTHING_YET)


def _print_status(found: Mapping[str, Any], newest: str | None) -> None:
    if found["version"]:
        held = ""
        if found["hold"]:
            held = f" (held; {newest} is the newest, `warehouse publish --resume` shows it)"
        click.echo(f"version {found['version']} as of {time_text(found['as_of'])}{held}")
    print_lagging(found["targets"], found["hold"] or newest)
    if text := last_run_text(found["last_run"]):
        click.echo(text)
    if choice := found["recommender"]:
        click.echo(f"recommender {choice['recommender']} ({choice['status']}): {choice['reason']}")
    click.echo()
    sizes = {name: size for name, size in found["disk"].items() if isinstance(size, int)}
    print_table(("disk", *sizes), [("", *map(size_text, sizes.values()))])
    if (pruned := found["disk"]["pruned"]) and pruned["error"]:
        click.echo(f"not pruned at {time_text(pruned['at'])}: {pruned['error']}")
    if found["tables"]:
        click.echo()
        print_table(
            ("raw table", "cell", "rows", "complete up to", "lag", "certificate", "quarantined"),
            [
                (
                    f"raw_{table['source']}.{table['entity']}",
                    table["cell"],
                    table["rows"],
                    time_text(table["complete_up_to"]),
                    lag_text(table["lag_seconds"]),
                    certificate_text(table["certificate"]),
                    table["quarantined"],
                )
                for table in found["tables"]
            ],
        )
    if found["marts"]:
        click.echo()
        print_table(
            ("mart", "cell", "complete up to", "complete", "unmatched rows"),
            [
                (
                    mart["mart"],
                    mart["cell"],
                    time_text(mart["complete_up_to"]),
                    mart["is_complete"],
                    mart["unmatched_rows"],
                )
                for mart in found["marts"]
            ],
        )


def print_lagging(targets: Iterable[Mapping[str, Any]], wanted: str | None) -> None:
    """Print which targets show another version than `wanted`, and what keeps them from it."""
    for target in targets:
        if target["lags"]:
            click.echo(
                f"target {target['name']} lags: it shows {target['version'] or 'nothing'},"
                f" {wanted} is to be shown; the next `warehouse run`, `rollback`"
                " or `publish --resume` switches it"
            )
        if target["problem"]:
            click.echo(f"target {target['name']}: {target['problem']}")


def last_run_text(run: Mapping[str, Any] | None) -> str | None:
    """Return how the last run ended, None before the first."""
    if run is None:
        return None
    if run["status"] == "succeeded":
        return f"the last run succeeded at {time_text(run['finished_at'])}"
    if run["status"] == "running":
        return f"a run is going on since {time_text(run['started_at'])}"
    if run["status"] == "killed":
        return (
            f"the run of {time_text(run['started_at'])} was killed;"
            " `warehouse run` finishes what it was for"
        )
    return f"the last run failed at {time_text(run['finished_at'])}: {run['error']}"


def lag_text(seconds: float) -> str:
    """Return a lag as days, hours, minutes or seconds, the two largest that are not zero."""
    rest, parts = round(seconds), list[str]()
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def certificate_text(certificate: Mapping[str, Any] | None) -> str:
    """Return a certificate's kind and outcome in a few words."""
    return f"{certificate['kind']}: {certificate['status']}" if certificate else "none"


@click.command(
    epilog=examples(
        "warehouse versions", "warehouse versions --json", "warehouse versions --side --json"
    )
)
@click.option("--side", is_flag=True, help="List what `warehouse rebuild` made instead.")
@as_json
@click.pass_context
def versions(ctx: click.Context, side: bool, as_json: bool) -> None:
    """List the published versions, newest first; --json adds their tables and content hashes.

    Side versions, which readers never see, follow in a table of their own. Exits with 2 when no
    version is published yet.
    """
    settings = settings_of(ctx)

    from warehouse.publish import side as side_publication
    from warehouse.publish import versions as published_versions

    found = published_versions.versions(settings)
    aside = side_publication.side_versions(settings)
    if as_json:
        print_json([version.to_dict() for version in (aside if side else found)])
    else:
        if found and not side:
            _print_versions(found)
        if aside:
            _print_side_versions(aside)
    if not found and not side:
        raise ConfigError(NOTHING_YET)


def _print_versions(found: "Sequence[Version]") -> None:
    print_table(
        ("version", "as of", "published at", "by", "tables", "rows", ""),
        [
            (
                version.version,
                time_text(version.as_of),
                time_text(version.published_at),
                version.published_by,
                len(version.tables),
                sum(table.rows for table in version.tables),
                "current" if version.is_current else "",
            )
            for version in reversed(found)
        ],
    )


def _print_side_versions(found: "Sequence[SideVersion]") -> None:
    click.echo()
    print_table(
        ("side version", "as of", "known at", "built at", "by", "tables", "rows"),
        [
            (
                version.version,
                time_text(version.as_of),
                time_text(version.known_at),
                time_text(version.published_at),
                version.published_by,
                len(version.tables),
                sum(table.rows for table in version.tables),
            )
            for version in reversed(found)
        ],
    )
