"""What `--help` says, and that it says it at once."""

import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from cli import main, reference
from tests.cli.command import Command

HEAVY = (
    "boto3",
    "dagster",
    "dbt",
    "duckdb",
    "metricflow",
    "pandas",
    "psycopg",
    "pyarrow",
    "pydantic",
    "yaml",
)


def every_command() -> list[tuple[str, click.Command]]:
    def below(group: click.Group, path: str) -> list[tuple[str, click.Command]]:
        context = click.Context(group)
        found: list[tuple[str, click.Command]] = []
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found.append((f"{path} {name}".strip(), command))
            if isinstance(command, click.Group):
                found += below(command, f"{path} {name}".strip())
        return found

    return below(main.warehouse, "")


def test_help_imports_nothing_heavy_and_starts_at_once(repository: Path) -> None:
    code = (
        "import sys\n"
        "from cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print('loaded', [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    assert "loaded []" in result.stderr
    # 0.2 s on a quiet machine; dagster alone takes 3 s to import.
    assert time.monotonic() - started < 2.5


def test_help_names_every_command_and_the_exit_codes(warehouse: Command) -> None:
    result = warehouse("--help")
    assert result.returncode == 0
    for name in main.COMMANDS:
        assert f"\n  {name} " in result.stdout
    assert "Exit codes" in result.stdout


@pytest.mark.parametrize(("name", "command"), every_command(), ids=str)
def test_every_command_explains_itself_with_an_example(name: str, command: click.Command) -> None:
    assert command.help, name
    if isinstance(command, click.Group) and not command.epilog:
        return
    assert command.epilog, name
    assert "Examples:\n  warehouse " in command.epilog
    assert name in command.epilog


@pytest.mark.parametrize(
    ("name", "command"),
    [pair for pair in every_command() if not isinstance(pair[1], click.Group)],
    ids=str,
)
def test_options_and_arguments_are_explained(name: str, command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def test_without_a_command_the_help_is_shown(warehouse: Command) -> None:
    result = warehouse()
    assert result.returncode == 2
    assert "Usage: warehouse [OPTIONS] COMMAND" in result.stderr


def test_the_reference_page_is_what_the_commands_say(repository: Path) -> None:
    page = repository / "docs" / "reference" / "commands.md"
    assert page.read_text(encoding="utf-8") == reference.reference(), (
        "run `python -m cli.reference > docs/reference/commands.md`"
    )
