"""A copy of the files taken at any moment of a run, as a power cut leaves them, is run on."""

import random
from pathlib import Path

import pytest

from tests.faults.cells import Moment
from tests.faults.conftest import Prepared
from tests.faults.test_matrix import differences

pytestmark = pytest.mark.slow

LOST = ("nothing", "data", "all")


@pytest.mark.parametrize("seed", [2, *(pytest.param(n, marks=pytest.mark.soak) for n in range(9))])
def test_copies_taken_at_random_moments_of_a_run_end_as_if_undisturbed(
    prepared: Prepared, tmp_path: Path, seed: int
) -> None:
    bench = prepared.bench
    bench.restore("published")
    fsyncs = bench.run(fault="frozen").fsyncs
    draw = random.Random(seed)
    moments = [
        Moment(number, draw.uniform(0, 0.1), lost, str(tmp_path / str(number)))
        for number, lost in zip(sorted(draw.sample(range(1, fsyncs), 6)), LOST * 2, strict=True)
    ]
    bench.restore("published")
    ended = bench.run(fault="frozen", moments=moments)
    assert ended.status == 0, ended.output
    for moment in moments:
        bench.put(Path(moment.image))
        assert differences(bench.finish(), prepared.undisturbed) == {}, moment
