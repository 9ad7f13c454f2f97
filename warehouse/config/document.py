"""Read YAML as plain values that remember their lines, with variables filled in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Location = tuple[str | int, ...]

# A variable is swapped for a private-use character sequence before YAML sees it, since the
# documented `{ eu: ${SHOP_EU_DSN} }` is not YAML, and a value must not be able to change the
# document's structure.
_VARIABLE = re.compile(r"(\$?)\$\{([A-Za-z0-9_]+:[^}\n]*|[^}\n'\"]*)\}")
_PARTS = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_TOKEN = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with the file."""

    line: int
    location: Location
    message: str

    def __str__(self) -> str:
        where = dotted(self.location)
        return f"{where}: {self.message}" if where else self.message


class Document:
    """The values of one YAML file, and the line each of them stands on."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._values = variables
        self._variables: list[str] = []
        self._root = self._compose(text)
        self.value: Any = None if self._root is None else self._value(self._root, (), ())

    def line(self, location: Location) -> int:
        """Return the line of a location, or of the nearest parent that is in the file."""
        node, line = self._root, 1
        for step in location:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            return yaml.compose(_VARIABLE.sub(self._hide, text), Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._add(mark.line + 1 if mark else 1, (), f"not YAML: {self._shown(error)}")
        except yaml.YAMLError as error:
            self._add(1, (), f"not YAML: {str(error).splitlines()[0]}")
        return None

    def _shown(self, error: yaml.MarkedYAMLError) -> str:
        """Return the parser's words without its excerpt of the file, which may hold a secret."""
        return " ".join(part for part in (error.context, error.problem) if part)

    def _hide(self, match: re.Match[str]) -> str:
        self._variables.append(match.group())
        return f"\ue000{len(self._variables) - 1}\ue001"

    def _add(self, line: int, location: Location, message: str) -> None:
        self.problems.append(Problem(line, location, message))

    def _value(self, node: yaml.Node, location: Location, parents: tuple[yaml.Node, ...]) -> Any:
        line = node.start_mark.line + 1
        if node in parents:
            self._add(line, location, "an alias cannot stand inside its own anchor")
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, location, (*parents, node)))
        if isinstance(node, yaml.SequenceNode):
            return [
                self._value(item, (*location, index), (*parents, node))
                for index, item in enumerate(node.value)
            ]
        return self._scalar(node, line, location)

    def _items(
        self, node: yaml.MappingNode, location: Location, parents: tuple[yaml.Node, ...]
    ) -> Iterator[tuple[str, Any]]:
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or _TOKEN.search(key.value):
                self._add(line, location, "a key must be plain text; variables are for values")
                continue
            # The text as written: `no: …` and `1: …` are the keys "no" and "1".
            name = str(key.value)
            if name in lines:
                self._add(line, (*location, name), f"is already given in line {lines[name]}")
                continue
            lines[name] = line
            yield name, self._value(value, (*location, name), parents)

    def _scalar(self, node: yaml.Node, line: int, location: Location) -> Any:
        if _TOKEN.search(node.value):
            return _TOKEN.sub(lambda match: self._filled(match, line, location), node.value)
        if "${" in node.value:
            self._add(line, location, "a variable is written ${NAME} or ${NAME:-default}")
            return ""
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            self._add(line, location, f"cannot be read: {str(error).splitlines()[0]}")
            return None

    def _filled(self, match: re.Match[str], line: int, location: Location) -> str:
        written = _VARIABLE.fullmatch(self._variables[int(match.group(1))])
        assert written is not None
        escaped, body = written.groups()
        if escaped:
            return "${" + body + "}"
        parts = _PARTS.fullmatch(body)
        if parts is None:
            self._add(line, location, "a variable is written ${NAME} or ${NAME:-default}")
            return ""
        name, default = parts.groups()
        value = self._values.get(name)
        if value is None and default is None:
            self._add(
                line,
                location,
                f"variable {name} is not set in the environment or in .env beside this file",
            )
        return default if default is not None and not value else value or ""


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None


def dotted(location: Location) -> str:
    """Return a location as text: `sources.shop.tables.orders.key[0]`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
