"""Run the real command in a process of its own, as users and scripts do."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests import warm

REPOSITORY = Path(__file__).resolve().parents[2]
# What a developer's shell may have set and a test must not see.
_FOREIGN = ("WAREHOUSE_", "SHOP_", "PII_", "DYNAMODB_", "AWS_", "PG")


@dataclass(frozen=True, slots=True)
class Command:
    """`warehouse …` in one folder."""

    directory: Path

    def __call__(
        self, *arguments: str, stdin: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command with these variables besides the environment's own."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        fixed = {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "100"}
        return warm.run(
            "warehouse",
            arguments,
            cwd=self.directory,
            env=inherited | fixed | variables,
            stdin=stdin,
            timeout=120,
        )

    def fails(self, code: int, *arguments: str, **variables: str) -> str:
        """Run a command that must end with `code` and one clear line, and print nothing else."""
        line, progress = self.stops(code, *arguments, **variables)
        assert not progress, progress
        return line

    def stops(self, code: int, *arguments: str, **variables: str) -> tuple[str, list[str]]:
        """Run a command that must end with `code`; return its one clear line, and those before."""
        result = self(*arguments, **variables)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        assert "Traceback" not in result.stdout + result.stderr
        *progress, line = result.stderr.strip().splitlines()
        assert line.startswith("error: ")
        assert not [other for other in progress if other.startswith("error")], result.stderr
        return line, progress

    def variable(self, name: str) -> str:
        """Return a variable of the `.env` in the folder."""
        text = (self.directory / ".env").read_text(encoding="utf-8")
        return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)[0]
