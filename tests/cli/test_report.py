"""`warehouse report` on a whole demo shop, looked at in a real browser, and what it refuses."""

import json
from pathlib import Path

import pytest
from matplotlib import image

from tests.cli.command import Command
from tests.cli.test_versions import CONFIGURATION
from tests.shops import Shop
from tests.warehouse.report import browser
from tests.warehouse.report.browser import HEIGHT, Frame
from tests.warehouse.report.reading import Page
from tests.warehouse.report.version import publish

NAMES = ("index", "campaign", "affiliate", "recommendation")
DESKTOP, PHONE, NARROWEST = 1280, 390, 360
SPOILT = """<!doctype html><html lang="en">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<style>p { color: #aaa; background: #fff; width: 2000px }</style>
<script>1</script><body><p>faint and wide</p></body></html>"""


@pytest.fixture(scope="module")
def report(demo_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of the demo shop."""
    folder = tmp_path_factory.mktemp("report")
    printed = demo_shop.command("report", "--to", str(folder)).stdout.splitlines()
    assert printed[1:] == [str(folder / f"{name}.html") for name in NAMES]
    assert printed[0].startswith(f"version {demo_shop.current()['version']} as of ")
    return folder


def frames(report: Path, *widths: int) -> list[Frame]:
    return [Frame(report / f"{name}.html", width) for name in NAMES for width in widths]


@pytest.mark.slow
def test_pages_of_a_whole_shop_answer_every_question_without_a_fault(report: Path) -> None:
    for name in NAMES:
        text = (report / f"{name}.html").read_text(encoding="utf-8")
        page = Page(text)
        assert page.faults == []
        assert "was built before this could be told" not in text
        assert len(page.tables) >= 3
        assert len(text) < 200_000
    assert (
        "retargeting: doubt: its visitors were here before"
        in Page((report / "campaign.html").read_text(encoding="utf-8")).text
    )


@pytest.mark.slow
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_a_browser_finds_pages_that_fit_and_words_that_can_be_read(
    report: Path, tmp_path: Path, is_dark: bool
) -> None:
    shown = frames(report, DESKTOP, PHONE, NARROWEST)
    found = browser.measure(tmp_path, shown, is_dark=is_dark)
    assert [one["width"] for one in found] == [frame.width for frame in shown]
    assert [one for one in found if one["content"] > one["width"]] == []
    assert [one["faint"] for one in found if one["faint"]] == []
    # boxes that scroll are reached with the keyboard
    assert {one["unreachable"] for one in found} == {0}
    assert min(one["count"] for one in found) > 100
    dark = {"rgb(18, 22, 28)"}
    assert {one["background"] for one in found} == (dark if is_dark else {"rgb(246, 247, 249)"})


@pytest.mark.slow
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_no_picture_of_a_page_is_empty(report: Path, tmp_path: Path, is_dark: bool) -> None:
    shown = frames(report, DESKTOP, PHONE)
    pixels = image.imread(browser.picture(tmp_path, shown, is_dark=is_dark))
    assert pixels.shape[:2] == (HEIGHT, len(NAMES) * (DESKTOP + PHONE))
    left = 0
    for frame in shown:
        part = pixels[:, left : left + frame.width, :3].reshape(-1, 3)
        colours = {tuple(pixel) for pixel in (part * 255).astype(int)[::7].tolist()}
        assert len(colours) > 40, frame
        # dark is dark, light is light
        assert (part.mean() < 0.4) == is_dark, frame
        left += frame.width


@pytest.mark.slow
def test_the_browser_complains_of_nothing(report: Path, tmp_path: Path) -> None:
    assert browser.complaints(tmp_path, frames(report, DESKTOP)) == []


def test_the_browser_would_complain_and_find_what_is_wide_and_faint(tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(SPOILT, encoding="utf-8")
    frame = [Frame(spoilt, PHONE)]
    [found] = browser.measure(tmp_path, frame)
    assert (found["width"], found["content"] > PHONE) == (PHONE, True)
    assert found["faint"] == ["faint and wide"]
    complained = browser.complaints(tmp_path, frame)
    assert any("Content Security Policy" in line for line in complained)


def test_pages_go_into_the_home_of_the_warehouse_or_where_they_are_asked_for(
    warehouse: Command,
) -> None:
    publish(warehouse.directory)
    printed = json.loads(warehouse("report", "affiliate", "--json").stdout)
    home = warehouse.directory / "var" / "report"
    assert printed == {
        "version": "v000001",
        "as_of": "2011-09-01T00:00:00Z",
        "files": [str(home / "index.html"), str(home / "affiliate.html")],
    }
    assert warehouse("report", "--to", "pages").returncode == 0
    assert sorted(path.stem for path in (warehouse.directory / "pages").iterdir()) == sorted(NAMES)


def test_what_cannot_be_reported_is_refused(warehouse: Command) -> None:
    (warehouse.directory / "warehouse.yml").write_text(CONFIGURATION, encoding="utf-8")
    assert "nothing is published yet" in warehouse.fails(2, "report")
    publish(warehouse.directory)
    assert "version v000007 does not exist; there are v000001" in warehouse.fails(
        2, "report", "--version", "v000007"
    )
    assert "'sales' is not one of" in warehouse.fails(2, "report", "sales")
    (warehouse.directory / "file").touch()
    assert "file" in warehouse.fails(2, "report", "--to", "file")
