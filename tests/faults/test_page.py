"""The page on crashes lists the cells that there are."""

import re
from pathlib import Path

from tests.faults.test_matrix import STARTS


def test_the_page_lists_the_points_of_the_matrix(repository: Path) -> None:
    page = repository / "docs" / "explanation" / "what-a-crash-leaves.md"
    listed = re.findall(r"^\| (.+?) \| x \| x \| x \| x \|$", page.read_text(), re.MULTILINE)
    assert listed == list(STARTS)
