"""The pages tell the truth: their commands run, their paths exist, their links lead somewhere."""

import re
import shlex
from pathlib import Path

import click
import pytest

from cli.main import warehouse
from tests.markdown_blocks import (
    EXITS,
    FOR_THE_EYE,
    NOT_RUN,
    PARSED,
    RUN_BY_CI,
    RUNNABLE,
    Block,
    blocks,
    commands,
    matches,
    run,
)
from tests.shops import Shop

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
# What a page may name although no clone holds it: the demo and the tools write it.
WRITTEN_LATER = ("var/", ".venv", ".env", "warehouse.yml", "dbt_project/target/")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def marked(page: Path) -> list[Block]:
    return list(blocks(page, ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_says_what_it_is_and_why_if_it_is_not_run(page: Path) -> None:
    for block in marked(page):
        assert block.language in (*RUNNABLE, *FOR_THE_EYE), f"{block.place}: {block.language!r}"
        if block.marker.startswith((NOT_RUN, PARSED)):
            reason = block.marker.split(":", 1)[1]
            assert len(reason) > 10, f"{block.place}: say why it is not run"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_command_that_is_left_to_ci_stands_in_ci(page: Path) -> None:
    recipe = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for block in marked(page):
        if block.marker == RUN_BY_CI:
            for command in commands(block):
                assert command.text in recipe, f"{block.place}: .ci/run never runs {command.text}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_command_that_is_not_run_is_one_that_the_warehouse_takes(page: Path) -> None:
    for block in marked(page):
        if block.marker.startswith((NOT_RUN, PARSED)) and block.language == "console":
            for command in commands(block):
                for part in re.split(r"&&|[|<>;]", command.text.replace("\\\n", " ")):
                    words = shlex.split(part, comments=True)
                    if words and words[0] == "warehouse":
                        parse(words[1:])


def parse(words: list[str]) -> None:
    """Parse the words after `warehouse`, down to the last group; a missing file is no fault."""
    command: click.Command = warehouse
    while True:
        try:
            context = command.make_context("warehouse", list(words))
        except click.BadParameter as error:
            if "does not exist" in error.message:
                return
            raise
        if not isinstance(command, click.Group):
            return
        rest = [*context._protected_args, *context.args]
        _, found, words = command.resolve_command(context, rest)
        assert found is not None
        command = found


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_examples_of_a_page_run_as_written(page: Path, demo_shop: Shop) -> None:
    for block in marked(page):
        if not block.marker.startswith((NOT_RUN, PARSED, RUN_BY_CI)):
            run(block, demo_shop.directory)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{name(page)}: no {target}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    folders = {entry.name for entry in ROOT.iterdir() if entry.is_dir()}
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for path in re.findall(r"`([\w.*-]+/[\w./*-]*)`", text):
        if path.split("/")[0] in folders and not path.startswith(WRITTEN_LATER):
            assert list(ROOT.glob(path.rstrip("/"))), f"{name(page)}: no {path}"


def test_every_page_is_reachable_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#]+)", index)}
    pages = {page for page in PAGES if page.parent != ROOT} - {ROOT / "docs" / "index.md"}
    assert sorted(map(name, pages - linked)) == []


def test_shown_output_may_leave_out_what_differs_from_run_to_run() -> None:
    assert matches("version ...\nrows 3", "version v000001\n  rows   3\n")
    assert not matches("rows 4", "rows 3")


def test_a_file_that_a_page_writes_is_part_of_its_command() -> None:
    block = Block("page:1", "console", "$ cat > a <<'END'\nx\nEND\n$ cat a\nx", "")
    assert [(command.text, command.output) for command in commands(block)] == [
        ("cat > a <<'END'\nx\nEND", ""),
        ("cat a", "x"),
    ]


def test_a_console_block_is_commands_with_their_output() -> None:
    block = Block("page:1", "console", "$ one \\\n  two\nout\n\n$ three", EXITS + "0")
    assert [(command.text, command.output) for command in commands(block)] == [
        ("one \\\n  two", "out"),
        ("three", ""),
    ]
