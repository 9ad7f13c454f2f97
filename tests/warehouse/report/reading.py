"""Read a page as a browser and a screen reader would, and collect what is wrong with it."""

import itertools
import re
from collections.abc import Mapping
from html.parser import HTMLParser

VOID = frozenset({"meta", "link"})
# What HTML closes by itself in a drawing.
DRAWN = frozenset({"line", "rect", "circle", "polygon", "polyline", "path"})
HEADINGS = ("h1", "h2", "h3", "h4")
CELLS = frozenset({"th", "td"})
# In the page, to another page or a section of it, or the picture of none.
LOCAL = re.compile(r"#[\w-]+|(?P<page>[a-z]+)\.html(#(?P<section>[\w-]+))?|data:,")


class Page(HTMLParser):
    """The text, tables, headings, folded answers and links of a page, and its `faults`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.elsewhere: list[tuple[str, str]] = []
        self.headings: list[tuple[str, str]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.words: list[str] = []
        self.folded: list[str] = []
        self._open: list[str] = []
        self._caption: str | None = None
        self._rows: list[list[str]] = []
        self._scopes = 0
        self.feed(text)
        self.close()
        self._judge(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._attributes(tag, given)
        if tag == "table":
            self._caption, self._rows, self._scopes = "", [], 0
        elif tag == "tr":
            self._rows.append([])
        elif tag in CELLS:
            self._rows[-1].append("")
            self._scopes += tag == "th" and given.get("scope") in {"row", "col"}
            if tag == "th" and given.get("scope") not in {"row", "col"}:
                self.faults.append("a th without scope")
        elif tag in HEADINGS:
            self.headings.append((tag, ""))
        elif tag == "details" and given.get("class") == "folded":
            self.folded.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes(tag, {name: value or "" for name, value in attrs})
        if tag not in DRAWN:
            self.faults.append(f"<{tag}/> is no drawn element")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")
        if tag == "table":
            caption = " ".join((self._caption or "").split())
            if not caption:
                self.faults.append("a table without caption")
            if caption in self.tables:
                self.faults.append(f"two tables with the caption {caption!r}")
            if len({len(row) for row in self._rows}) > 1:
                self.faults.append(f"{caption}: rows of different length")
            self.tables[caption] = self._rows
            self._caption = None

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words.append(data)
        if "caption" in self._open:
            self._caption = (self._caption or "") + data
        elif self._rows and self._rows[-1] and CELLS & set(self._open):
            self._rows[-1][-1] = " ".join((self._rows[-1][-1] + data).split())
        if self._open[-2:] == ["details", "summary"] and self.folded:
            self.folded[-1] += data
        if self._open and self._open[-1] in HEADINGS:
            tag, text = self.headings[-1]
            self.headings[-1] = (tag, text + data)

    @property
    def text(self) -> str:
        """Return all words of the page."""
        return " ".join("".join(self.words).split())

    def _attributes(self, tag: str, given: Mapping[str, str]) -> None:
        self.ids += [given["id"]] if "id" in given else []
        labelled = given.get("aria-labelledby")
        self.references += [labelled] if labelled else []
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            if name not in given:
                continue
            local = LOCAL.fullmatch(given[name])
            if local is None:
                self.faults.append(f"{tag} leads to {given[name]}")
            elif local["section"]:
                self.elsewhere.append((local["page"], local["section"]))
            if given[name].startswith("#"):
                self.references.append(given[name][1:])
        self.faults += [f"{tag} has {name}" for name in given if name.startswith("on")]
        if "style" in given:
            self.faults.append(f"{tag} has a style that the policy forbids")
        if tag in {"script", "iframe", "object", "embed", "form"}:
            self.faults.append(f"there is a {tag}")
        is_told = given.get("role") == "img" and labelled
        if tag == "svg" and not is_told and given.get("aria-hidden") != "true":
            self.faults.append("a drawing without words for it")
        if tag == "img" and not given.get("alt"):
            self.faults.append("a picture without words for it")

    def _judge(self, text: str) -> None:
        self.faults += [f"<{tag}> is not closed" for tag in self._open]
        self.faults += [f"the id {one} twice" for one in set(self.ids) if self.ids.count(one) > 1]
        self.faults += [f"nothing is {one}" for one in self.references if one not in self.ids]
        levels = [int(tag[1]) for tag, _ in self.headings]
        if levels.count(1) != 1 or levels[:1] != [1]:
            self.faults.append("not one h1, first")
        jumps = [b - a for a, b in itertools.pairwise(levels) if b - a > 1]
        self.faults += ["a heading is left out"] * len(jumps)
        for needed in (
            "<!doctype html>",
            '<html lang="en">',
            "<title>",
            "<main",
            "<nav aria-label",
            "<header>",
            "<footer>",
            "default-src 'none'",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "prefers-color-scheme: dark",
            "@media print",
        ):
            if needed not in text:
                self.faults.append(f"no {needed}")
        if re.search(r"https?:|url\(|@import|//", re.sub(r"</", "<", text)):
            self.faults.append("something elsewhere is named")
