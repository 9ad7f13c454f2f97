"""Write docs/reference/commands.md from the commands themselves: `python -m cli.reference`."""

import inspect
from collections.abc import Iterator

import click

from cli.main import warehouse

# A bar would end a cell of the table.
BAR, ESCAPED_BAR = "|", "\\|"

HEAD = """\
# Commands

Written by `python -m cli.reference > docs/reference/commands.md`; a test compares the two.

`warehouse [--config FILE] COMMAND …` works from any folder. The configuration is the file of
`--config`, else of the variable `WAREHOUSE_CONFIG`, else `./warehouse.yml`.

| exit code | means |
|---|---|
| 0 | done, or nothing new |
| 1 | an audit, certificate or quarantine limit failed, or something unexpected (a log is named) |
| 2 | usage or configuration: missing file, bad key or variable, unknown table, no version yet |
| 3 | a source or the engine: host, password, privilege, table gone |
| 130 | interrupted by hand |

A problem is said in one line on standard error. Progress goes to standard error too, so `--json`
leaves only JSON on standard output.
"""


# tests/test_docs.py parses these commands instead of running them.
NOT_RUN = "<!-- parsed: examples of names and files that no one shop has all of -->"


def reference() -> str:
    """Return the page: every command with its arguments, options and examples."""
    context = click.Context(warehouse, info_name="warehouse")
    return "\n".join([HEAD, *_sections(warehouse, context)])


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _sections(command, below)
        else:
            yield from _section(command, below)


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(part for part in command.collect_usage_pieces(context) if part)
    yield f"## `{context.command_path.replace('warehouse ', '', 1)}`\n"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n"
    yield f"```text\n{context.command_path} {usage}\n```\n"
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    rows = [row for option in options if (row := option.get_help_record(context))]
    if rows:
        yield "| option | |\n|---|---|"
        for flags, text in rows:
            yield f"| `{flags}` | {text.replace(BAR, ESCAPED_BAR)} |"
        yield ""
    if command.epilog:
        lines = [line.strip() for line in command.epilog.splitlines()[2:]]
        yield "\n".join([NOT_RUN, "```console", *(f"$ {line}" for line in lines), "```\n"])


if __name__ == "__main__":
    click.echo(reference(), nl=False)
