"""Check the text of `warehouse.yml` and say, in the user's words, everything wrong with it."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from warehouse.config.document import Document, Location, Problem
from warehouse.config.messages import message_of
from warehouse.config.models import Settings

_KINDS = ("postgres", "dynamodb")


def problems_of(
    text: str, path: Path, variables: Mapping[str, str] | None = None
) -> tuple[Settings | None, list[Problem]]:
    """Return the settings, or None and every problem in the order of the file's lines.

    A variable is looked up in the environment, then in `variables`.
    """
    document = Document(text, {**(variables or {}), **os.environ})
    problems = list(document.problems)
    settings = None
    if document.value is not None or not problems:
        try:
            settings = Settings.model_validate(
                {} if document.value is None else document.value,
                context={"base": path.parent, "path": path},
            )
        except ValidationError as error:
            # A value that could not be read is one problem, not two.
            told = {problem.location for problem in problems}
            problems += [
                Problem(document.line(location), location, message)
                for location, message in _explained(error).items()
                if location not in told
            ]
    return (None if problems else settings), sorted(set(problems), key=_by_line)


def _by_line(problem: Problem) -> tuple[int, str]:
    return problem.line, str(problem)


def _explained(error: ValidationError) -> dict[Location, str]:
    """Return place -> message; of several messages for one place (a union's) the last."""
    explained: dict[Location, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        location = _as_written(detail["loc"])
        if detail["type"] == "located":
            misfits = detail.get("ctx", {})["misfits"]
            explained |= {(*location, *below): message for below, message in misfits}
        elif detail["type"].startswith("union_tag"):
            explained[(*location, "kind")] = _kind_message(detail)
        else:
            explained[location] = message_of(detail)
    return explained


def _kind_message(detail: ErrorDetails) -> str:
    tag = detail.get("ctx", {}).get("tag")
    if tag is None:
        return "is required: postgres or dynamodb"
    if tag == "mysql":
        return "mysql is not available in this version; use postgres or dynamodb"
    return f"is postgres or dynamodb, not {tag}"


def _as_written(location: Location) -> Location:
    """Return a location without the steps that pydantic adds for unions and keys."""
    steps = list(location)
    if len(steps) > 2 and steps[0] == "sources" and steps[2] in _KINDS:
        del steps[2]
    return tuple(
        step for step in steps if not (isinstance(step, str) and step.endswith(("]", ")")))
    )
