"""`warehouse init`: write a commented configuration to start from."""

from pathlib import Path

import click

from cli.shared import examples
from extractors.errors import ConfigError


@click.command(
    epilog=examples(
        "warehouse init                     # writes ./warehouse.yml",
        "warehouse --config shop.yml init",
        "warehouse init --schema > warehouse.schema.json",
    )
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of warehouse.yml instead.")
@click.pass_context
def init(ctx: click.Context, schema: bool) -> None:
    """Write a commented warehouse.yml, with every key explained.

    An existing file is never overwritten. Secrets belong in the environment, or in a file .env
    beside it that is kept out of version control.
    """
    if schema:
        from warehouse.config.schema import schema_text

        click.echo(schema_text(), nl=False)
        return
    from cli.init_template import TEMPLATE

    path: Path = Path.cwd() / (ctx.find_root().obj or "warehouse.yml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise ConfigError(
            f"{path}: exists already; move it away, or name another: warehouse --config FILE init"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    click.echo(f"wrote {path}")
    click.echo("next: name your stores in it, set its variables, then run `warehouse check`")
