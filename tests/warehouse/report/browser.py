"""Look at pages in a real browser, without a window: Chromium, as Debian has it.

All pages lie as frames in one sheet, because a window without a screen cannot be as narrow as a
phone. Each page measures itself by a script that a copy of it gets; the real one allows none.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
HEIGHT = 900
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# Contrast as WCAG 2 defines it; of drawn words the fill counts.
MEASURE = """<script>
const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = rgb => rgb.slice(0, 3).map(one => one / 255)
  .map(one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
  .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
const behind = element => {
  for (let one = element; one; one = one.parentElement) {
    const rgba = parse(getComputedStyle(one).backgroundColor);
    if (rgba.length < 4 || rgba[3] > 0) return rgba;
  }
  return [255, 255, 255];
};
addEventListener("load", () => {
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  let count = 0, least = 21;
  while (words.nextNode()) {
    const element = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || element.closest("script, desc, title")) continue;
    const style = getComputedStyle(element);
    const pair = [light(parse(element.ownerSVGElement ? style.fill : style.color)),
      light(behind(element))].sort((one, other) => other - one);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    count += 1;
    least = Math.min(least, contrast);
    if (contrast < 4.5) faint.push(words.currentNode.data.trim().slice(0, 40));
  }
  const scrolls = [...document.querySelectorAll("*")].filter(one =>
    one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "auto");
  parent.postMessage({
    width: innerWidth, content: document.documentElement.scrollWidth, count, faint, least,
    unreachable: scrolls.filter(one => one.tabIndex < 0).length,
    background: getComputedStyle(document.body).backgroundColor,
  }, "*");
});
</script>"""
COLLECT = """<script>
const found = [];
addEventListener("message", event => {
  const frames = [...document.querySelectorAll("iframe")];
  const at = frames.findIndex(one => one.contentWindow === event.source);
  found[at] = event.data;
  document.querySelector("pre").textContent = JSON.stringify(found);
});
</script>"""


@dataclass(frozen=True, slots=True)
class Frame:
    """A page at a width."""

    page: Path
    width: int


def program() -> str:
    """Return the browser; without one the test skips, and fails where CI is set."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return found or _missing("no browser; install it, for example: apt-get install chromium")


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def measure(
    folder: Path, frames: Sequence[Frame], *, is_dark: bool = False
) -> list[dict[str, Any]]:
    """Return what each page says of itself at its width."""
    copies = [Frame(_measuring(folder, frame.page), frame.width) for frame in frames]
    sheet = _sheet(folder, copies, f"<pre></pre>{COLLECT}")
    printed = _run(folder, sheet, "--dump-dom", is_dark=is_dark).stdout
    found = re.search(r"<pre>(.+?)</pre>", printed, re.DOTALL)
    assert found, printed[-2000:]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def complaints(folder: Path, frames: Sequence[Frame]) -> list[str]:
    """Return what the browser writes to the console about the pages as they are."""
    sheet = _sheet(folder, frames, "")
    logged = _run(folder, sheet, "--dump-dom", "--enable-logging=stderr").stderr
    return [line for line in logged.splitlines() if "CONSOLE" in line]


def picture(folder: Path, frames: Sequence[Frame], *, is_dark: bool = False) -> Path:
    """Return a PNG of the pages as they are, side by side, 900 high."""
    to = folder / f"picture-{is_dark}.png"
    size = f"--window-size={sum(frame.width for frame in frames)},{HEIGHT}"
    sheet = _sheet(folder, frames, "")
    _run(folder, sheet, size, "--hide-scrollbars", f"--screenshot={to}", is_dark=is_dark)
    return to


def _measuring(folder: Path, page: Path) -> Path:
    copy = folder / f"measuring-{page.name}"
    text, replaced = POLICY.subn("", page.read_text(encoding="utf-8"))
    assert replaced == 1, f"{page}: no policy"
    copy.write_text(text.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    return copy


def _sheet(folder: Path, frames: Sequence[Frame], more: str) -> Path:
    style = "body { margin: 0; display: flex } iframe { border: 0; flex: none; height: 900px }"
    inside = "".join(
        f'<iframe src="{frame.page.resolve().as_uri()}" width="{frame.width}"></iframe>'
        for frame in frames
    )
    sheet = folder / "sheet.html"
    # the collector listens before the first page can have measured itself
    sheet.write_text(
        f"<!doctype html><meta charset=utf-8><title>Sheet</title><style>{style}</style>"
        f"<body>{more}{inside}</body>",
        encoding="utf-8",
    )
    return sheet


def _run(
    folder: Path, sheet: Path, *arguments: str, is_dark: bool = False
) -> "subprocess.CompletedProcess[str]":
    scheme = ["--blink-settings=preferredColorScheme=0"] if is_dark else []
    command = [
        program(),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        f"--user-data-dir={folder / 'browser'}",
        "--virtual-time-budget=5000",
        *scheme,
        *arguments,
        sheet.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
