"""The bench of the crash matrix: one small warehouse, prepared once, put back for each cell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.cells import FIRST_DAY, SECOND_DAY, Bench
from tests.relational_source import Source, postgres_server, source

__all__ = ["postgres_server", "source"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A bench with its saved states, and what an undisturbed run ends with."""

    bench: Bench
    undisturbed: dict[str, Any]


@pytest.fixture(scope="session")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Prepared]:
    """Yield the bench: a version is published, then the source changed; `saved` says how far."""
    server = request.getfixturevalue("postgres_server")
    with Bench(tmp_path_factory.mktemp("bench"), Source(server, "postgres")) as bench:
        bench.source.run(*FIRST_DAY)
        bench.set_clock("2026-01-01T12:30:00Z")
        bench.finish()
        bench.save("published")
        bench.source.run(*SECOND_DAY)
        bench.set_clock("2026-01-02T12:30:00Z")
        undisturbed = bench.finish()
        assert {*undisturbed["raw"]} == {"orders", "products", "products__history"}
        assert len(undisturbed["published"]["hashes"]) == 2
        bench.restore("published")
        for point in ("raw complete", "audit passed"):
            assert bench.run(point, "kill").struck
            bench.save(point)
        yield Prepared(bench, undisturbed)
