"""Turn pages into HTML that stands alone: no script, no network, everything escaped."""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from warehouse.figures import minute
from warehouse.report.facts import Facts, Freshness
from warehouse.report.parts import Page

# Characters that HTML does not allow, or that turn the direction of what follows them.
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")

CODE = re.compile("`([^`]+)`")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["given"] = given
    environment.filters["told"] = told
    return environment


def given(text: str) -> Markup:
    """Return words that may come from a source: unfit characters shown as such, isolated."""
    return Markup("<bdi>{}</bdi>").format(UNFIT.sub("\ufffd", text))


def told(text: str) -> Markup:
    """Return a sentence, escaped; what stands between backticks is code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(UNFIT.sub("\ufffd", text)))))  # noqa: S704


def html(page: Page, facts: Facts, pages: Sequence[Page], fresh: Freshness) -> str:
    """Return a page that leads to the others, and says how fresh its tables are."""
    style = (Path(__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _templates()
        .get_template("page.html")
        .render(
            page=page,
            pages=pages,
            style=Markup(style),  # noqa: S704  our own file
            digest=digest,
            version=facts.published.version,
            as_of=minute(facts.as_of, facts.zone),
            published_at=minute(facts.published_at, facts.zone),
            zone=facts.zone.key,
            period=facts.period,
            fresh=fresh,
        )
    )
