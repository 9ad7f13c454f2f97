"""A run cancelled by Ctrl-C, by `kill` or in the Dagster UI ends in order, and is run again."""

import pytest

from tests.faults.conftest import Prepared
from tests.faults.test_matrix import differences
from warehouse.load import runs

pytestmark = pytest.mark.slow

CELLS = [
    ("part written", "terminate"),
    ("rows in", "interrupt"),
    ("certificate queued", "terminate"),
    ("dbt model built", "interrupt"),
    ("version written", "terminate"),
    ("pointer swapped", "interrupt"),
]


@pytest.mark.parametrize(("point", "signal"), CELLS, ids=[f"{p}-{s}" for p, s in CELLS])
def test_a_cancelled_run_says_so_and_ends_as_if_undisturbed_when_run_again(
    prepared: Prepared, point: str, signal: str
) -> None:
    bench = prepared.bench
    bench.restore("published")
    ended = bench.run(point, signal)
    assert ended.struck
    assert ended.status == 130, ended.output
    assert ended.output.splitlines()[-1] == "error: interrupted; run the command again to go on"
    assert "Traceback" not in ended.output, ended.output
    last = runs.last(bench.home / "state")
    assert last
    assert (last.status, last.error) == ("failed", "interrupted")
    assert differences(bench.finish(), prepared.undisturbed) == {}
