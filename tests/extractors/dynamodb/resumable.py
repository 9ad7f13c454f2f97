"""Scan from a page server in a process of its own, which a test kills: ADDRESS LANDING."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from extractors.dynamodb.client import dynamodb_client
from extractors.dynamodb.route import Route
from extractors.dynamodb.scan import scan_table
from extractors.dynamodb.segments import Pace, Progress


def show(progress: Progress) -> None:
    print(progress.items, flush=True)


if __name__ == "__main__":
    scan_table(
        dynamodb_client("eu-west-2", sys.argv[1]),
        "t",
        source="activity",
        cell="main",
        landing=Path(sys.argv[2]),
        routes=[Route("even", {"even": {"exists": True}}), Route("odd")],
        now=lambda: datetime.now(UTC),
        segments=4,
        progress=show,
        pace=Pace(checkpoint_bytes=500),
    )
