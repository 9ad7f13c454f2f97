"""Prices and stock-outs: what holds at an instant, and how prices move."""

from functools import partial
from itertools import pairwise

import numpy as np

from demo.rows.catalogue import Catalogue, made_catalogue
from demo.rows.columns import DAY, NEVER
from demo.rows.dated import Prices, StockOuts, available, price_list, stock_outs

START = 20_000 * DAY


def test_the_price_in_force_is_the_latest_that_has_begun() -> None:
    prices = Prices(np.array([0, 0, 1]), np.array([10, 20, 10]), np.array([100, 90, 500]))

    articles, seconds = np.array([0, 0, 0, 0, 1, 1]), np.array([10, 19, 20, 99, 10, 99])
    assert prices.at(articles, seconds).tolist() == [100, 100, 90, 90, 500, 500]


def test_an_article_is_sold_out_from_the_first_second_to_before_the_last() -> None:
    outs = StockOuts(np.array([1, 1, 2]), np.array([10, 40, 10]), np.array([20, 50, 20]))

    articles = np.array([0, 1, 1, 1, 1, 1, 2, 3])
    seconds = np.array([15, 9, 10, 19, 20, 45, 15, 15])
    assert outs.covers(articles, seconds).tolist() == [
        *(False, False, True, True, False, True, True, False)
    ]


def test_an_article_is_available_while_it_is_on_sale_and_in_stock() -> None:
    catalogue = Catalogue(
        ids=["10001", "10002"],
        names=["MUG", "BAG"],
        thousandths=np.array([1000, 2000]),
        created=np.array([5, 5]),
        ended=np.array([NEVER, 30]),
        renamed=np.array([NEVER, NEVER]),
        has_letter=np.zeros(2, np.bool_),
    )
    outs = StockOuts(np.array([1]), np.array([10]), np.array([20]))

    seconds = np.array([4, 5, 10, 20, 30])
    seen = [available(catalogue, outs, np.full(5, n), seconds).tolist() for n in (0, 1)]
    assert seen == [[False, True, True, True, True], [False, True, False, True, False]]


def test_sales_take_20_to_40_percent_off_for_one_or_two_weeks_and_then_it_is_as_before() -> None:
    catalogue = made_catalogue(1, 4, START)
    prices = price_list(catalogue, 1, START, START + 360 * DAY)

    sales = 0
    for article in range(len(catalogue)):
        own = prices.article == article
        listed = prices.thousandths[own].tolist()
        begins = prices.valid_from[own].tolist()
        assert begins[0] == catalogue.created[article]
        assert listed[0] == catalogue.thousandths[article]
        assert all(a < b for a, b in pairwise(begins))
        assert all(a != b for a, b in pairwise(listed))
        for place in range(1, len(listed) - 1):
            before, price, after = listed[place - 1 : place + 2]
            if after == before and price < 0.81 * before:
                days = (begins[place + 1] - begins[place]) / DAY
                assert 7 <= days <= 14
                # Whole pence: of a cheap article a penny is some percent.
                assert 0.6 - 5 / before <= price / before <= 0.8 + 5 / before
                sales += 1
    assert sales / len(catalogue) / 4 > 0.7  # about 0.9 in 90 days


def test_a_later_horizon_only_adds_prices_and_stock_outs() -> None:
    catalogue = made_catalogue(1, 1, START)

    for make in (price_list, partial(stock_outs, share=0.5)):
        known = [make(catalogue, 1, START, START + days * DAY) for days in (100, 300)]
        shorter, longer = (
            set(zip(*(column.tolist() for column in vars(found).values()), strict=True))
            for found in known
        )
        assert shorter < longer
