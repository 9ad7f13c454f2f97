"""Write the pages that hold marts to the demo's planted truth: `make docs-truth`."""

import tempfile
from pathlib import Path

from tests.dbt import affiliate_truth, campaign_truth
from tests.demo_shops import published


def main() -> None:
    """Write the pages from one new demo shop."""
    with tempfile.TemporaryDirectory() as folder, published(Path(folder)) as shop:
        found = campaign_truth.read(shop)
        text = campaign_truth.page(found, campaign_truth.by_model(found))
        campaign_truth.PAGE.write_text(text, encoding="utf-8")
        text = affiliate_truth.page(affiliate_truth.read(shop))
        affiliate_truth.PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
