"""Run the `warehouse` command in forks of a process that has imported it, and strike it.

python -m tests.faults.server reads requests as lines of JSON and answers each with one. A
run so costs what it does, and not two seconds of imports.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from tests import warm
from tests.faults import broken, disk, points

FILLER = "filler"
# CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER: what root passes over modes with.
_OVER_MODES = (1, 2, 3)


def kill(_home: Path) -> None:
    """End this process at once, with nothing flushed or cleaned."""
    os.kill(os.getpid(), signal.SIGKILL)


def fill(home: Path) -> None:
    """Take every byte that is left of the small disk that `home` is on."""
    with (home / FILLER).open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))


def limit(_home: Path) -> None:
    """Let no file grow any more: as near to a full disk as one comes without mounting one.

    But for small ones: what the command says goes to a file, too.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))


def deny(home: Path) -> None:
    """Take the permission to write from all that is there."""
    for path in (home, *home.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


FAULTS: dict[str, Callable[[Path], None]] = {
    "kill": kill,
    "power cut": kill,
    "full disk": fill,
    "limited files": limit,
    "denied": deny,
    "interrupt": lambda _home: os.killpg(0, signal.SIGINT),
    "terminate": lambda _home: os.killpg(0, signal.SIGTERM),
}
# "frozen" strikes at moments, not at a point.
RECORDED = ("power cut", "frozen")


def heed_modes() -> None:
    """Make permissions count for root as well, in this process and in those it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _OVER_MODES if os.geteuid() == 0 else ():
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    held = (ctypes.c_uint32 * 6)()
    libc.capget(header, held)
    for word in range(3):
        held[word] &= ~sum(1 << capability for capability in _OVER_MODES)
    if libc.capset(header, held):
        raise OSError(ctypes.get_errno(), "capset")


def _command(request: dict[str, Any], channel: socket.socket | None) -> None:
    """Become the command; does not return."""
    from cli.main import main

    os.setsid()
    home = Path(request["home"])
    os.chdir(home.parent)
    with Path(request["output"]).open("wb") as output, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    if request["fault"] == "denied":
        heed_modes()
    if channel:
        disk.confine(channel)
    if request["dbt"]:
        from orchestration import dbt

        dbt.executable = lambda: request["dbt"]
    if request["without"]:
        broken.BROKEN[request["without"]][0]()
    if request["point"]:
        points.POINTS[request["point"]](lambda: _strike(request, home))
    main(request["arguments"])


def _strike(request: dict[str, Any], home: Path) -> None:
    Path(request["struck"]).touch()
    FAULTS[request["fault"]](home)


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """Run one command to its end."""
    is_recorded = request["fault"] in RECORDED
    home, kept = Path(request["home"]), Path(request["kept"])
    recorder = disk.Recorder(home, kept) if is_recorded else None
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _end_with(lambda: _command(request, theirs if recorder else None))
    theirs.close()
    with ours:
        status = _watched(child, ours, recorder, request) if recorder else _ended(child, 0)
    assert status is not None
    if recorder:
        _end_group(child)  # the power is cut for dbt, too
        for name, keeps_names in (("image", False), ("image with names", True)):
            recorder.cut(Path(request[name]), keeps_names=keeps_names)
    return {"status": status, "fsyncs": recorder.fsyncs if recorder else 0}


def _ended(child: int, options: int) -> int | None:
    pid, status = os.waitpid(child, options)
    return os.waitstatus_to_exitcode(status) if pid else None


def _watched(
    child: int, channel: socket.socket, recorder: disk.Recorder, request: dict[str, Any]
) -> int | None:
    """Record a command until it has ended, and return how."""
    statuses: list[int | None] = [None]

    def has_ended() -> bool:
        statuses.append(_ended(child, os.WNOHANG))
        return statuses[-1] is not None

    def answered(fsyncs: int) -> None:
        for moment in request["moments"]:
            if moment["fsyncs"] == fsyncs:
                _freeze(child, moment, recorder)

    recorder.watch(channel, has_ended, answered)
    return statuses[-1]


def _freeze(leader: int, moment: dict[str, Any], recorder: disk.Recorder) -> None:
    """Hold a command and its children still while the files are copied."""
    time.sleep(moment["seconds"])
    os.killpg(leader, signal.SIGSTOP)
    time.sleep(0.02)
    target = Path(moment["image"])
    if moment["lost"] == "nothing":
        recorder.copy(target)
    else:
        recorder.cut(target, keeps_names=moment["lost"] == "data")
    os.killpg(leader, signal.SIGCONT)


def _end_with(command: Callable[[], None]) -> NoReturn:
    """Run the command and end this fork, which has nothing of its parent's to clean up."""
    code = 70
    try:
        command()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0
    except BaseException:  # noqa: BLE001  what the command did not catch is in its output
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_group(leader: int) -> None:
    """Kill what is left of a command, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-leader, 0)


def main() -> None:
    """Import what a run needs, and serve until the requests end."""
    warm.import_commands()
    # Orphans come to this process, which is what waits for them.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    for line in sys.stdin:
        answer = serve(json.loads(line))
        print(json.dumps(answer), flush=True)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    main()
