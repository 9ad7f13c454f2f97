"""The crash matrix fails where a safeguard is taken out of the product."""

import pytest

from tests.faults.broken import BROKEN
from tests.faults.conftest import Prepared
from tests.faults.test_matrix import struck_and_run_again

pytestmark = [pytest.mark.slow, pytest.mark.soak]


@pytest.mark.parametrize("safeguard", BROKEN)
def test_a_cell_fails_without_a_safeguard(prepared: Prepared, safeguard: str) -> None:
    _, (point, fault) = BROKEN[safeguard]
    with pytest.raises(AssertionError) as failure:
        struck_and_run_again(prepared, point, fault, without=safeguard)
    assert "was not reached" not in str(failure.value)
