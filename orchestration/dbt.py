"""Run the dbt project in a subprocess that inherits the writer lease."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation
from packaging.version import Version

from extractors.errors import SourceError
from extractors.package import utc_text, write_atomically
from orchestration.project import (
    SHIPPED,
    fingerprint,
    manifest_file,
    models_fingerprint,
    project,
)
from warehouse import lease
from warehouse.config import Settings

SOLVERS = SHIPPED.with_name("analytics")


def executable() -> str:
    """Return the dbt of the running interpreter, whether or not its environment is activated."""
    return str(Path(sys.executable).with_name("dbt"))


def build_fingerprint(settings: Settings) -> str:
    """Return a text that differs whenever a build of the same raw may."""
    parts = (
        models_fingerprint(project(settings)),
        variables(settings),
        fingerprint(SOLVERS, {".py"}),
    )
    return " ".join(parts)


def _environment(settings: Settings) -> dict[str, str]:
    work, folder = settings.home / "dbt", project(settings)
    profiles = folder if (folder / "profiles.yml").is_file() else SHIPPED
    return {
        **os.environ,
        "WAREHOUSE_BUILD_DATABASE": str(settings.build_database),
        "DBT_PROFILES_DIR": str(profiles),
        "DBT_PROJECT_DIR": str(folder),
        "DBT_TARGET_PATH": str(work / "target"),
        "DBT_LOG_PATH": str(settings.logs_directory),
        "DBT_LOG_FORMAT": "json",
        # What was run is in the target folder; the debug log costs a quarter of a build.
        "DBT_LOG_LEVEL_FILE": "info",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_NO_VERSION_CHECK": "true",
        "PYTHONUNBUFFERED": "1",
    }


def variables(settings: Settings) -> str:
    """Return the project's variables as JSON.

    They stay the same from run to run: dbt parses the whole project anew when one changes. A run's
    as_of goes by the environment.
    """
    return json.dumps(
        {
            "reporting_currency": settings.warehouse.reporting_currency,
            "reporting_time_zone": settings.warehouse.reporting_time_zone,
        }
    )


def _configured(settings: Settings) -> list[str]:
    """Return what each call of dbt has to say alike, or it parses the whole project anew."""
    return ["--target", settings.warehouse.engine, "--vars", variables(settings)]


def manifest_path(settings: Settings) -> Path:
    """Return the project's manifest, parsed anew when a file of the project changed."""
    path = manifest_file(settings)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    settings.logs_directory.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        [executable(), "--quiet", "parse", *_configured(settings)],
        env=_environment(settings),
        cwd=project(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    built = settings.home / "dbt" / "target" / "manifest.json"
    if result.returncode or not built.is_file():
        raise SourceError(f"the dbt project cannot be parsed: {_first_error(result.stdout)}")
    for old in path.parent.glob("manifest-*.json"):
        old.unlink()
    write_atomically(path, built.read_text(encoding="utf-8"))
    return path


def _first_error(output: str) -> str:
    for line in output.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            event = json.loads(line)["info"]
            if event["level"] == "error":
                return " ".join(str(event["msg"]).split())
    return " ".join(output.split())[:500]


def build(
    settings: Settings,
    held: lease.Lease,
    arguments: Sequence[str],
    as_of: datetime,
    *,
    manifest: Mapping[str, Any],
    translator: DagsterDbtTranslator,
    context: dg.AssetExecutionContext,
) -> Iterator[Any]:
    """Run `dbt build` on part of the project and yield its Dagster events.

    The build database must be closed here: the child opens it, and keeps the lease if this
    process is killed.
    """
    settings.logs_directory.mkdir(parents=True, exist_ok=True)
    target = settings.home / "dbt" / "target"
    (target / "run_results.json").unlink(missing_ok=True)
    command = [executable(), "build", *arguments, "--exclude-resource-type", "unit_test"]
    command += _configured(settings)
    process = subprocess.Popen(
        command,
        env={**_environment(settings), "WAREHOUSE_AS_OF": utc_text(as_of)},
        cwd=project(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(held.descriptor,),
    )
    held.record_child(process.pid)
    invocation = DbtCliInvocation(
        process=process,
        manifest=manifest,
        dagster_dbt_translator=translator,
        project_dir=project(settings),
        target_path=target,
        raise_on_error=False,
        cli_version=Version(metadata.version("dbt-core")),
        context=context,
    )
    events = invocation.stream()
    try:
        # No `yield from`: dagster-dbt's generators do not bear to be closed halfway.
        for event in events:  # noqa: UP028
            yield event
    finally:
        _end(process, events)
        held.record_child(None)


def compiled(
    settings: Settings,
    held: lease.Lease,
    models: Sequence[str],
    as_of: datetime,
    *,
    target: Path,
) -> dict[str, str]:
    """Return the whole query of each model by its unique id, as dbt compiles it; nothing is built.

    The build database must be closed here. What dbt writes goes to `target`, so that the files of
    the last build stay.
    """
    target.mkdir(parents=True)
    parsed = settings.home / "dbt" / "target" / "partial_parse.msgpack"
    if parsed.is_file():
        shutil.copy(parsed, target)
    process = subprocess.Popen(
        # what is brought up to date in place is asked for whole
        [
            *(executable(), "--quiet", "compile", "--full-refresh", "--select", *models),
            *_configured(settings),
        ],
        env={
            **_environment(settings),
            "WAREHOUSE_AS_OF": utc_text(as_of),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target),
        },
        cwd=project(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(held.descriptor,),
    )
    held.record_child(process.pid)
    try:
        output, _ = process.communicate()
    finally:
        process.kill()
        process.wait()
        held.record_child(None)
    if process.returncode:
        raise SourceError(f"the dbt project cannot be compiled: {_first_error(output)}")
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    return {
        identity: node["compiled_code"]
        for identity, node in nodes.items()
        if node["resource_type"] == "model" and node["name"] in models
    }


def _end(process: "subprocess.Popen[bytes]", events: Iterator[Any]) -> None:
    """End dbt, whose file is opened next: gently, or at once where somebody cannot wait."""
    if process.poll() is None:
        process.terminate()
    while process.returncode is None:
        try:
            for _ in events:
                pass
            process.wait()
        except BaseException:  # noqa: BLE001  another Ctrl-C, say: what is raised already goes on
            process.kill()


def run_results(settings: Settings) -> list[dict[str, Any]]:
    """Return the results of the last dbt call; SourceError where it ended before writing them."""
    path = settings.home / "dbt" / "target" / "run_results.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        raise SourceError(
            f"dbt ended before it built anything; {settings.logs_directory / 'dbt.log'} says why"
        ) from None
