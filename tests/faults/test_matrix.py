"""A run struck at any durable step, in any of four ways, and run again ends as if undisturbed."""

import re
from contextlib import nullcontext
from typing import Any

import pytest

from tests.faults import small_disk
from tests.faults.cells import Ended
from tests.faults.conftest import Prepared
from tests.faults.contents import seen_by_readers
from tests.faults.points import BUILD, EXTRACT, PUBLISH

pytestmark = pytest.mark.slow

# Where no small disk can be mounted, the cells say so by their names.
FULL = "full disk" if small_disk.can_be_mounted() else "limited files"
FAULTS = ("kill", "power cut", FULL, "denied")
STARTS = {
    **dict.fromkeys(EXTRACT, "published"),
    **dict.fromkeys(BUILD, "raw complete"),
    **dict.fromkeys(PUBLISH, "audit passed"),
}
LIMITED = [(point, "limited files") for point in ("rows in", "version written")]
CELLS = [*dict.fromkeys([*((point, fault) for point in STARTS for fault in FAULTS), *LIMITED])]
# After these a run may end well: what it still writes may find room, or is written already.
LAST = ("pointer begun", "pointer swapped", "old versions removed", "status written")
# What the run says of its disk or its folders
CAUSES = {
    "full disk": r"No space left on device|disk is full|disk I/O error",
    "limited files": r"File too large|disk I/O error",
    "denied": r"Permission denied|readonly",
}


def as_parameter(point: str, fault: str) -> Any:
    # After a power cut each of the disk's images is run to its end.
    marks = [pytest.mark.drill] if fault == "power cut" else []
    return pytest.param(point, fault, id=f"{point}-{fault}", marks=marks)


@pytest.mark.parametrize(("point", "fault"), [as_parameter(*cell) for cell in CELLS])
def test_a_run_struck_at_a_durable_step_and_run_again_ends_as_if_undisturbed(
    prepared: Prepared, point: str, fault: str
) -> None:
    struck_and_run_again(prepared, point, fault)


def struck_and_run_again(
    prepared: Prepared, point: str, fault: str, without: str | None = None
) -> None:
    """Run one cell, on the product or on one `without` a safeguard."""
    bench = prepared.bench
    with small_disk.mounted(bench.home) if fault == "full disk" else nullcontext():
        bench.restore(STARTS[point])
        ended = bench.run(point, fault, without=without)
        assert ended.struck, f"{point} was not reached:\n{ended.output}"
        if fault in CAUSES:
            if ended.status or point not in LAST:
                assert_said_in_one_line(ended, fault)
            bench.mend()
        else:
            assert ended.status == -9, ended.output
        for image in bench.images() if fault == "power cut" else [None]:
            if image:
                bench.put(image)
            assert seen_by_readers(bench.home) in {("v000001", True), ("v000002", True)}
            assert differences(bench.finish(), prepared.undisturbed) == {}


def differences(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs, found and expected."""
    return {
        name: (found[name], expected[name]) for name in expected if found[name] != expected[name]
    }


def assert_said_in_one_line(ended: Ended, fault: str) -> None:
    """The run fails with one line that names a path and the cause, and no traceback."""
    assert "raceback" not in ended.output, ended.output
    errors = [line for line in ended.output.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, ended.output
    assert re.search(CAUSES[fault], errors[0]), errors[0]
    assert "/var" in errors[0]
    assert ended.status == 3, ended.output
