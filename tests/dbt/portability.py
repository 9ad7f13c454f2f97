"""Hold compiled SQL to the subset that Redshift takes too: `python -m tests.dbt.portability`."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from tests.dbt.redshift_subset import (
    INSTEAD,
    NODES,
    OTHERWISE,
    TYPES,
    WORDS_BEFORE_PARENTHESIS,
)

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


@dataclass(frozen=True, slots=True)
class Offence:
    """A construct that Redshift does not take, where it stands, and what to write instead."""

    file: str
    line: int
    construct: str

    def __str__(self) -> str:
        instead = INSTEAD.get(self.construct) or OTHERWISE
        return f"{self.file}:{self.line}: {self.construct} is not portable; write {instead}"


def offences(sql: str, file: str = "sql") -> list[Offence]:
    """Return what in `sql` is outside the subset, by line."""
    try:
        found = {*_of_tokens(sqlglot.tokenize(sql, dialect="redshift"))}
        for statement in sqlglot.parse(sql, dialect="redshift"):
            if statement is not None:
                found |= {*_of_nodes(statement)}
    except sqlglot.errors.SqlglotError as error:
        line = getattr(error, "errors", [{}])[0].get("line") or 1
        return [Offence(file, line, "what sqlglot cannot read as Redshift's SQL")]
    return [Offence(file, line, construct) for line, construct in sorted(found)]


def _of_tokens(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    previous: Token | None = None
    for token in tokens:
        starts = previous is None or previous.token_type is TokenType.L_PAREN
        if token.token_type is TokenType.FROM and starts:
            yield token.line, "from before select"
        if token.token_type is TokenType.L_PAREN and previous is not None:
            word = previous.text.lower()
            is_word = word.replace("_", "").isalnum() and not word[0].isdigit()
            if is_word and word not in WORDS_BEFORE_PARENTHESIS:
                yield previous.line, word
        previous = token


def _of_nodes(statement: exp.Expr) -> Iterator[tuple[int, str]]:
    for node in statement.walk():
        name = type(node).__name__
        if isinstance(node, exp.Anonymous):
            continue  # a function by its name: the words before a parenthesis hold it
        if name not in NODES:
            yield _line(node), name
            continue
        for part, value in node.args.items():
            if value not in (None, False, []) and part not in NODES[name]:
                yield _line(node), f"{name}.{part}"
        if isinstance(node, exp.DataType):
            yield from _of_type(node)
        if isinstance(node, exp.Window) and _lacks_frame(node):
            yield _line(node), "ordered window without a frame"
        if isinstance(node, exp.Join) and not node.args.get("on") and node.kind != "CROSS":
            yield _line(node), "join without a condition"
        if isinstance(node, exp.Div) and not node.find(exp.Ln, exp.Sqrt) and not _casts(node):
            yield _line(node), "whole-number division"


def _of_type(node: exp.DataType) -> Iterator[tuple[int, str]]:
    name = str(node.this).rpartition(".")[2]
    if name not in TYPES:
        yield _line(node), f"type {name.lower()}"
    elif name == "VARCHAR" and not node.expressions:
        yield _line(node), "varchar without a length"


def _lacks_frame(node: exp.Window) -> bool:
    """Tell whether Redshift would ask for `rows between`: it has no frame by default."""
    ranking = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead)
    is_framed = node.args.get("spec") is not None or isinstance(node.this, ranking)
    return node.args.get("order") is not None and not is_framed


def _casts(node: exp.Div) -> bool:
    """Tell whether a division says by a cast that it is one of doubles or decimals."""
    return any(
        cast.to.is_type(exp.DataType.Type.DOUBLE, exp.DataType.Type.DECIMAL)
        for cast in node.find_all(exp.Cast)
    )


def _line(node: exp.Expr) -> int:
    """Return the line of the node, else of the nearest node that knows its own."""
    around: exp.Expr | None = node
    while around is not None:
        for inner in around.walk():
            if "line" in inner.meta:
                return int(inner.meta["line"])
        around = around.parent
    return 1


def compile_for_redshift(target: Path) -> None:
    """Compile the project for Redshift, without a server, into `target`."""
    command = [
        str(Path(sys.executable).with_name("dbt")),
        *("compile", "--target", "redshift", "--no-populate-cache", "--no-introspect", "--quiet"),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(target), "--log-path", str(target)),
    ]
    subprocess.run(command, check=True)


def project_offences(target: Path) -> Iterator[Offence]:
    """Yield the offences of all compiled SQL in `target`, at the line of the model where known."""
    compiled = target / "compiled" / "commerce_warehouse"
    files = sorted(compiled.rglob("*.sql"))
    if not files:
        raise FileNotFoundError(f"no compiled SQL in {compiled}")
    for path in files:
        sql = path.read_text(encoding="utf-8")
        name = path.relative_to(compiled)
        model = PROJECT / name
        written = model.read_text(encoding="utf-8").splitlines() if model.is_file() else []
        for offence in offences(sql, f"dbt_project/{name}"):
            text = sql.splitlines()[offence.line - 1]
            line = written.index(text) + 1 if text in written else offence.line
            yield Offence(offence.file, line, offence.construct)


def main() -> int:
    """Print every offence of the project; return 1 when there is one."""
    with tempfile.TemporaryDirectory() as folder:
        compile_for_redshift(Path(folder))
        found = list(project_offences(Path(folder)))
    sys.stdout.writelines(f"{offence}\n" for offence in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
