"""Look variables up in the environment and in a `.env` file."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from extractors.errors import ConfigError


def variables_of(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file of NAME=value lines; a missing file has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: {reason}") from None
    return dict(_assignments(text))


def share_with_aws(variables: Mapping[str, str]) -> None:
    """Put the AWS_* variables of a `.env` file where the AWS SDK looks: into the environment.

    What the environment has already stays.
    """
    for name, value in variables.items():
        if name.startswith("AWS_"):
            os.environ.setdefault(name, value)


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", line)
        if match:
            yield match.group(1), _unquoted(match.group(2))


def _unquoted(text: str) -> str:
    single = re.fullmatch(r"'([^']*)'(?:\s+#.*)?", text)
    if single:
        return single.group(1)
    double = re.fullmatch(r'"((?:[^"\\]|\\.)*)"(?:\s+#.*)?', text)
    if double:
        return re.sub(
            r"\\(.)",
            lambda escape: "\n" if escape.group(1) == "n" else escape.group(1),
            double.group(1),
        )
    return re.sub(r"(^|\s+)#.*", "", text)
