"""sqlfluff's rules really run: a badly written model does not pass. `make lint` tries ours."""

import subprocess
import sys
from pathlib import Path

BAD = """\
WITH orders AS (SELECT * FROM {{ ref('stg_shop__orders') }})
select order_id o,
  CASE when status='paid' then 1 END
from orders , orders as again
"""


def lint(repository: Path, *paths: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("sqlfluff")), "lint", "--disable-progress-bar"]
    return subprocess.run(
        [*command, *paths], cwd=repository, capture_output=True, text=True, check=False
    )


def test_a_badly_written_model_breaks_the_rules(repository: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.sql"
    bad.write_text(BAD, encoding="utf-8")
    ended = lint(repository, "--config", str(repository / ".sqlfluff"), str(bad))
    assert ended.returncode == 1
    for code in ("AL02", "AL03", "CP01", "LT01"):
        assert code in ended.stdout, code
