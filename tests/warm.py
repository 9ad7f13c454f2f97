"""dbt and `warehouse` in forks of processes that have imported them, which is most of a short run.

`run` starts one as subprocess.run does; `executable` is a file to start instead of the real one.
Each process of tests has servers of its own, which end with it. A run that is to be killed wants
the real thing: the death of a client does not end what runs in its place at once.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

REPOSITORY = Path(__file__).resolve().parents[1]
CLIENT = """\
#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(request)
    answer = server.recv(4)
code = int.from_bytes(answer, "big", signed=True) if answer else 70
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
# What is imported in the middle of a run. Not all of the demo: its DynamoDB, a process of its own,
# changes botocore.
LATE = (
    "alembic.command",
    "dagster._core.execution.execute_in_process",
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "dbt.contracts.graph.manifest",
    "dbt.contracts.selection",
    "dbt.graph",
    "demo.shop",
    "sqlalchemy.dialects.sqlite",
)
Command = Callable[[], None]


def run(
    name: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str = "",
    timeout: float,
) -> "subprocess.CompletedProcess[str]":
    """Run `dbt` or `warehouse` to its end, in a process of its own."""
    command = [str(executable(name)), *arguments]
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as server,
    ):
        given.write(stdin.encode())
        given.seek(0)
        server.settimeout(timeout)
        server.connect(_address(executable(name)))
        request = json.dumps([command, str(cwd), dict(env)]).encode()
        descriptors = [given.fileno(), out.fileno(), err.fileno()]
        socket.send_fds(server, [len(request).to_bytes(8, "big")], descriptors)
        server.sendall(request)
        try:
            answer = server.recv(4)
        except TimeoutError:
            raise subprocess.TimeoutExpired(command, timeout) from None
        log = executable(name).with_suffix(".log")
        assert answer, f"{command}: no answer; its server said {log.read_text()}"
        said = [(file.seek(0), file.read().decode())[1] for file in (out, err)]
    code = int.from_bytes(answer, "big", signed=True)
    return subprocess.CompletedProcess(command, code, *(t.replace("\r\n", "\n") for t in said))


def executable(name: str) -> Path:
    """Return what to start instead of `dbt` or `warehouse`; the folder it is in suits PATH."""
    return _folder() / name


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    for name in SERVED:
        client = folder / name
        client.write_text(CLIENT.format(python=sys.executable, address=_address(client)))
        client.chmod(client.stat().st_mode | stat.S_IXUSR)
        log = client.with_suffix(".log").open("w")
        with log, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(_address(client))
            listener.listen(64)
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", name, str(folder), str(listener.fileno())],
                cwd=REPOSITORY,
                # numpy's threads do not survive a fork
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                # what it says at its end would come after the tests' summary
                stderr=log,
                pass_fds=(listener.fileno(),),
            )
        atexit.register(_end, server)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _end(server: "subprocess.Popen[bytes]") -> None:
    assert server.stdin
    server.stdin.close()
    server.wait()


def _address(client: Path) -> str:
    return f"{client}.socket"


def serve(name: str, folder: Path, listener: socket.socket) -> None:
    """Answer until the process that started this one has ended; import at the first request."""
    command: Command | None = None
    while True:
        ready, _, _ = select.select([sys.stdin, listener], [], [])
        if sys.stdin in ready:
            return
        connection, _ = listener.accept()
        with connection:
            if command is None:
                command = SERVED[name](folder)
                assert _threads() == [], "threads do not survive a fork"
                gc.collect()
                gc.freeze()
            if os.fork() == 0:
                listener.close()
                _answer(connection, command)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _threads() -> list[str]:
    """Return the names of the threads but for the first, and jemalloc's, which heeds forks."""
    tasks = Path("/proc/self/task").iterdir()
    names = [(path / "comm").read_text().strip() for path in tasks if path.name != str(os.getpid())]
    return [name for name in names if not name.startswith("jemalloc")]


def _answer(connection: socket.socket, command: Command) -> NoReturn:
    """Run the command of a request in a fork of this fork, and tell how it ended."""
    head, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
    size, body = int.from_bytes(head, "big"), b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    child = os.fork()
    if child == 0:
        connection.close()
        _become(command, json.loads(body), descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    ended = os.pidfd_open(child)
    if ended not in select.select([connection, ended], [], [])[0]:
        os.kill(child, signal.SIGTERM)  # nobody waits for it any more
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):
        connection.sendall(status.to_bytes(4, "big", signed=True))
    os._exit(0)


def _become(
    command: Command, request: tuple[list[str], str, dict[str, str]], descriptors: list[int]
) -> NoReturn:
    """Run the command as the request says, and end as an interpreter does."""
    code = 70
    try:
        sys.argv, folder, environment = request
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        command()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0
    except BaseException:  # noqa: BLE001  the last words of what was run
        traceback.print_exc()
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def import_commands() -> None:
    """Import what the commands import, also what they do so only when they run."""
    for package in ("analytics", "cli", "extractors", "orchestration", "warehouse"):
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)


def _warehouse(folder: Path) -> Command:
    import_commands()
    from cli.main import main
    from orchestration import dbt

    dbt.executable = lambda: str(folder / "dbt")
    return main


def _dbt(folder: Path) -> Command:
    """Parse the shipped project, which each new target folder then begins with.

    What dbt checks of it, it checks: only where the database lies, a parse does not depend on.
    """
    for module in ("dbt.cli.main", "dbt.adapters.duckdb"):
        importlib.import_module(module)
    from dbt.cli.main import cli, dbtRunner
    from dbt.parser.manifest import ManifestLoader

    build_state_check = ManifestLoader.build_manifest_state_check

    def without_path(loader: ManifestLoader) -> object:
        credentials = loader.root_project.credentials
        path, credentials.path = credentials.path, ""
        try:
            return build_state_check(loader)
        finally:
            credentials.path = path

    ManifestLoader.build_manifest_state_check = without_path
    parsed, project = folder / "parsed", str(REPOSITORY / "dbt_project")
    os.environ["WAREHOUSE_BUILD_DATABASE"] = str(folder / "build.duckdb")
    folders = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(parsed)]
    # the static parser starts threads, for which forks would wait in vain
    quietly = ["--quiet", "--no-static-parser", "--log-path", str(parsed)]
    ended = dbtRunner().invoke(["parse", *folders, *quietly, *PRODUCT_OPTIONS])
    assert ended.success, ended.exception

    def run_dbt() -> None:
        target = os.environ.get("DBT_TARGET_PATH")
        if target and os.environ.get("DBT_PROJECT_DIR") == project:
            Path(target).mkdir(parents=True, exist_ok=True)
            if not (state := Path(target, "partial_parse.msgpack")).exists():
                shutil.copy(parsed / state.name, state)
        cli()

    return run_dbt


SERVED: dict[str, Callable[[Path], Command]] = {"dbt": _dbt, "warehouse": _warehouse}
# As `warehouse run` calls dbt with the defaults of a configuration: other ones parse anew.
PRODUCT_OPTIONS = (
    *("--target", "duckdb"),
    *("--vars", '{"reporting_currency": "GBP", "reporting_time_zone": "Europe/London"}'),
)

if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[3])) as inherited:
        serve(sys.argv[1], Path(sys.argv[2]), inherited)
    os._exit(0)  # nothing to clean up, and DuckDB's binding would tell what it left alive
