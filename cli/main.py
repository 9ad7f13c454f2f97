"""The entry of the `warehouse` command: its groups, its one-line errors and its exit codes."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from cli import failures
from cli.shared import examples
from extractors.errors import WarehouseError

# In the order of a first use. Each command is `module:name` and imported when it is asked for;
# the modules import the warehouse only when they run, so that --help stays quick.
COMMANDS = {
    "init": "cli.init:init",
    "demo": "cli.demo:demo",
    "check": "cli.check:check",
    "run": "cli.run:run",
    "status": "cli.status:status",
    "versions": "cli.status:versions",
    "sql": "cli.sql:sql",
    "metrics": "cli.metrics:metrics",
    "docs": "cli.docs:docs",
    "diff": "cli.diff:diff",
    "export": "cli.export:export",
    "report": "cli.report:report",
    "rollback": "cli.publish:rollback",
    "publish": "cli.publish:publish",
    "serve": "cli.serve:serve",
    "quarantine": "cli.quarantine:quarantine",
    "extract": "cli.steps:extract",
    "load": "cli.steps:load",
    "rebuild": "cli.rebuild:rebuild",
    "restate": "cli.restate:restate",
    "close-statements": "cli.statements:close_statements",
    "statement": "cli.statements:statement",
    "payouts": "cli.payouts:payouts",
    "explain-commission": "cli.explain_commission:explain_commission",
    "replay-commissions": "cli.replay_commissions:replay_commissions",
    "decide": "cli.decide:decide",
    "prune": "cli.prune:prune",
    "backup": "cli.backup:backup",
    "restore": "cli.backup:restore",
}


class LateGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        return getattr(importlib.import_module(module), name)


@click.command(
    cls=LateGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "warehouse demo up && warehouse run     # a whole small shop, loaded and published",
        "warehouse init                         # a configuration for your own stores",
        "warehouse --config shop.yml status",
    ),
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The configuration; else the variable WAREHOUSE_CONFIG, else ./warehouse.yml.",
)
@click.version_option(package_name="commerce-warehouse", prog_name="warehouse")
@click.pass_context
def warehouse(ctx: click.Context, config: Path | None) -> None:
    """Bring a shop's operational stores into audited, versioned marts.

    Exit codes: 0 done, or nothing new; 1 an audit, certificate or quarantine limit failed;
    2 usage or configuration; 3 a source or the engine could not be used.
    """
    ctx.obj = config


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit: problems are one line on stderr, never a traceback."""
    try:
        code = warehouse.main(arguments, prog_name="warehouse", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_text:
        click.echo(help_text.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        code = failures.report_usage(error)
    except (click.Abort, KeyboardInterrupt):
        code = failures.report_interrupt()
    except WarehouseError as error:
        code = failures.report(error)
    except Exception as error:  # noqa: BLE001  the last resort: logged whole, shown as one line
        code = failures.report_unexpected(error)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
