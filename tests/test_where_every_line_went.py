"""The page that says where each line of the real orders went says what a run publishes."""

from pathlib import Path

import pytest

import warehouse
from tests.demo_shops import real_orders
from tests.shops import Shop
from tests.where_every_line_went import PAGE, page

pytestmark = pytest.mark.slow


def test_the_page_says_what_a_run_publishes(real_shop: Shop, shared_data: Path) -> None:
    with warehouse.open(config=real_shop.directory / "warehouse.yml") as version:
        assert page(version, real_orders(shared_data)) == PAGE.read_text(encoding="utf-8")
