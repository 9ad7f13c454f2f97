"""What is kept of the error that ended a run."""

from pathlib import Path

import pytest

from orchestration.progress import error_text
from warehouse import config


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (None, None),
        (ValueError(), "ValueError"),
        (ValueError("one\ntwo"), "one"),
        (
            ValueError("the audit failed:\n  a_test: 1 row\nanother"),
            "the audit failed: a_test: 1 row",
        ),
        (ValueError("it ends here:"), "it ends here:"),
    ],
)
def test_an_error_that_announces_what_failed_is_kept_with_the_first_that_did(
    tmp_path: Path, error: BaseException | None, kept: str | None
) -> None:
    path = tmp_path / "warehouse.yml"
    path.write_text(
        "warehouse: {home: ./var}\nsources:\n  s: {kind: postgres, tables: {t: {key: [id]}},"
        " dsn: 'postgresql://nobody@127.0.0.1:1/none'}\n",
        encoding="utf-8",
    )
    assert error_text(error, config.load(path)) == kept
