"""Read the fenced blocks of a Markdown page, and run the ones that readers are told to run.

A block's language says what it is: `console` (lines after `$ ` are commands, run in order; the
lines below one are its output, where `...` stands for anything), `python`, `sql` (against the
published version), `yaml` and `json` (read), `text` and `mermaid` (for the eye). A comment on the
line before a fence changes that: `<!-- run by .ci/run -->`, `<!-- exits 2 -->`,
`<!-- parsed: why -->` (only whether the command line is one), `<!-- not run: why -->`.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests import warm
from warehouse.config.problems import problems_of

RUNNABLE = ("console", "python", "sql", "yaml", "json")
FOR_THE_EYE = ("text", "mermaid")
NOT_RUN = "not run:"
PARSED = "parsed:"
RUN_BY_CI = "run by .ci/run"
EXITS = "exits "
# A command of a page starts dbt at most twice; on a loaded machine that is minutes.
TIMEOUT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it starts, its language, its text, and the comment before it."""

    place: str
    language: str
    text: str
    marker: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a `console` block and the output a reader is shown."""

    text: str
    output: str


def blocks(page: Path, root: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    opened: tuple[int, str, str] | None = None
    for number, line in enumerate(lines, start=1):
        fence = re.match(r"\s*```(.*)$", line)
        if fence and opened is None:
            comment = (
                re.fullmatch(r"\s*<!-- (.*) -->\s*", lines[number - 2]) if number > 1 else None
            )
            opened = (number, fence.group(1).strip(), comment.group(1) if comment else "")
        elif fence and opened is not None:
            start, language, marker = opened
            text = "\n".join(lines[start : number - 1])
            yield Block(f"{page.relative_to(root)}:{start}", language, text, marker)
            opened = None
    if opened is not None:
        raise AssertionError(f"{page.relative_to(root)}:{opened[0]}: the fence is never closed")


def commands(block: Block) -> list[Command]:
    """Return the commands of a `console` block; `\\` and `<<'END'` continue one."""
    found: list[list[str]] = []
    for line in block.text.splitlines():
        if found and len(found[-1]) == 1 and _is_open(found[-1][0]):
            found[-1][0] += "\n" + line
        elif line.startswith("$ "):
            found.append([line.removeprefix("$ ")])
        elif found:
            found[-1].append(line)
        else:
            raise AssertionError(f"{block.place}: a console block begins with a `$ ` line")
    return [Command(first, "\n".join(rest).strip()) for first, *rest in found]


def _is_open(command: str) -> bool:
    here = "<<'END'" in command and not command.endswith("\nEND")
    return here or command.endswith("\\")


def matches(shown: str, printed: str) -> bool:
    """Return whether `printed` holds what a page shows, `...` being anything, spaces aside."""
    pieces = [re.escape(" ".join(piece.split())) for piece in shown.split("...")]
    pattern = ".*".join(piece.replace(r"\ ", r"\s+") for piece in pieces)
    return re.search(pattern, " ".join(printed.split()), re.DOTALL) is not None


def run(block: Block, directory: Path) -> None:
    """Run one block in `directory`; AssertionError names its page and line when it differs."""
    if block.language == "console":
        _run_console(block, directory)
    elif block.language == "python":
        _expect(block, [sys.executable, "-c", block.text], directory, 0)
    elif block.language == "sql":
        code = "import sys, warehouse; warehouse.open().execute(sys.argv[1]).fetchall()"
        _expect(block, [sys.executable, "-c", code, block.text], directory, 0)
    elif block.language == "yaml":
        _check_yaml(block)
    elif block.language == "json":
        json.loads(block.text)


def _check_yaml(block: Block) -> None:
    """Read YAML, and a whole configuration as the warehouse does, with variables made up."""
    if "sources" not in yaml.safe_load(block.text):
        return
    text = re.sub(r"\$\{\w*DSN\w*\}", "postgresql://reader@127.0.0.1/shop", block.text)
    text = re.sub(r"\$\{\w+(:-)?\}", "0123456789abcdef", text)
    _, problems = problems_of(text, Path("warehouse.yml"))
    assert not problems, f"{block.place}: {[str(problem) for problem in problems]}"


def _run_console(block: Block, directory: Path) -> None:
    status = int(block.marker.removeprefix(EXITS)) if block.marker.startswith(EXITS) else 0
    for command in commands(block):
        shell = ["bash", "-o", "pipefail", "-ec", command.text]
        printed = _expect(block, shell, directory, status)
        assert matches(command.output, printed), (
            f"{block.place}: `{command.text}` printed\n{printed}\nthe page shows\n{command.output}"
        )


def _expect(block: Block, command: list[str], directory: Path, status: int) -> str:
    tools, inherited = Path(sys.executable).parent, os.environ["PATH"]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join(map(str, (warm.executable("warehouse").parent, tools, inherited))),
        "PYTHONPATH": "",
    }
    finished = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert finished.returncode == status, (
        f"{block.place}: `{command[-1]}` ended with {finished.returncode}, not {status}:\n"
        f"{finished.stdout}"
    )
    return finished.stdout
