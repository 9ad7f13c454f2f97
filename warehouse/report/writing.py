"""Write the report of a version: one page per domain, and one that leads to them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from extractors.errors import ConfigError
from extractors.package import write_atomically
from warehouse.config import Settings
from warehouse.publish import versions
from warehouse.publish.reader import open_published
from warehouse.report import affiliate, campaign, overview, recommendation, render
from warehouse.report.facts import Facts, Freshness
from warehouse.report.parts import Page
from warehouse.report.period import last_weeks

DOMAINS: dict[str, Callable[[Facts], Page]] = {
    "campaign": campaign.page,
    "affiliate": affiliate.page,
    "recommendation": recommendation.page,
}


@dataclass(frozen=True, slots=True)
class Report:
    """The pages of a version."""

    version: str
    as_of: datetime
    files: tuple[Path, ...]


def write(settings: Settings, domains: Iterable[str], to: Path, version: str | None) -> Report:
    """Write the pages of these domains into a folder, and the one that leads to them.

    The same version gives the same bytes. Pages there are replaced, each at once. ConfigError: no
    such version, or a folder that cannot be written.
    """
    with open_published(version, settings.path) as published:
        record = versions.record_of(settings, published.version)
        assert record is not None  # the version was opened by it
        currency, zone_name = versions.reporting_of(settings, published.version)
        zone = ZoneInfo(zone_name)
        as_of = datetime.fromisoformat(record["as_of"])
        facts = Facts(
            published,
            as_of,
            datetime.fromisoformat(record["published_at"]),
            last_weeks(as_of, zone),
            currency,
            zone,
        )
        wanted = [name for name in DOMAINS if name in set(domains)]
        pages = [overview.page(facts), *(DOMAINS[name](facts) for name in wanted)]
        texts = {
            page.name: render.html(page, facts, pages, _freshness(facts, page)) for page in pages
        }
    files = tuple(to / f"{name}.html" for name in texts)
    try:
        to.mkdir(parents=True, exist_ok=True)
        for file, text in zip(files, texts.values(), strict=True):
            write_atomically(file, text)
    except OSError as error:
        raise ConfigError(f"{error.filename or to}: {error.strerror}") from None
    return Report(published.version, as_of, files)


def _freshness(facts: Facts, page: Page) -> Freshness:
    return facts.freshness(page.name if page.name in DOMAINS else "")
