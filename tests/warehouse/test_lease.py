"""The writer lease: one holder at a time, free when the holder and its children are dead."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from extractors.errors import SourceError
from warehouse import lease

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from warehouse import lease
with lease.hold(Path(sys.argv[1])) as held:
    if sys.argv[2] == "child":
        child = subprocess.Popen(["sleep", "60"], pass_fds=(held.descriptor,))
        held.record_child(child.pid)
        print(child.pid, flush=True)
    else:
        print("held", flush=True)
    time.sleep(60)
"""


def start_holder(home: Path, mode: str = "alone") -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home), mode], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_second_run_is_told_who_holds_the_lease(tmp_path: Path) -> None:
    process, _ = start_holder(tmp_path)
    try:
        with pytest.raises(SourceError, match=f"held by process {process.pid} on .* since"):
            lease.hold(tmp_path).__enter__()
    finally:
        kill(process)


def test_a_second_run_that_waits_gets_the_lease_when_the_first_ends(tmp_path: Path) -> None:
    process, _ = start_holder(tmp_path)
    told: list[str] = []

    def end(text: str) -> None:
        told.append(text)
        process.terminate()

    with lease.hold(tmp_path, wait=20, waiting=end):
        assert len(told) == 1
    kill(process)


def test_the_lease_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    process, _ = start_holder(tmp_path)
    kill(process)
    with lease.hold(tmp_path) as held:
        assert held.descriptor > 2


def test_the_child_of_a_killed_holder_keeps_the_lease_until_the_next_run_ends_it(
    tmp_path: Path,
) -> None:
    process, child = start_holder(tmp_path, "child")
    kill(process)
    assert Path(f"/proc/{child}").exists()
    started = time.monotonic()
    with lease.hold(tmp_path):
        assert time.monotonic() - started < 10
        state = Path(f"/proc/{child}/stat")
        assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_process_that_took_over_a_dead_childs_pid_is_left_alone(tmp_path: Path) -> None:
    # though it started in the same hundredth of a second, and the lease is still held
    process, child = start_holder(tmp_path, "child")
    kill(process)
    bystander = subprocess.Popen(["sleep", "60"])
    document = json.loads((tmp_path / lease.LOCK_FILE).read_text())
    started = Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(")")[2].split()[19]
    document["child"] = {"pid": bystander.pid, "started": started}
    (tmp_path / lease.LOCK_FILE).write_text(json.dumps(document))
    threading.Timer(0.5, os.kill, (int(child), signal.SIGKILL)).start()
    try:
        with lease.hold(tmp_path):
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
