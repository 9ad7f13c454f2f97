"""The twenty questions of benchmarks/bi_questions.sql, one by one."""

import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "bi_questions.sql"
_ASKED = re.compile(r"^(?P<asker>[a-z]+): (?P<text>[A-Z].*\?)$")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks of the published version, and the statement that answers it."""

    asker: str
    text: str
    sql: str


def questions() -> list[Question]:
    """Return them in the file's order; ValueError where one does not say who asks what."""
    _, *parts = FILE.read_text(encoding="utf-8").split("\n\n-- ")
    return [_question(f"-- {part}") for part in parts]


def _question(part: str) -> Question:
    lines = part.strip().splitlines()
    words = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    asked = _ASKED.match(" ".join(words))
    sql = "\n".join(lines[len(words) :])
    if asked is None or not sql.endswith(";"):
        raise ValueError(
            f"{FILE.name}: {lines[0]!r} is no `-- asker: Question?` before a statement"
        )
    return Question(asked["asker"], asked["text"], sql.removesuffix(";"))
