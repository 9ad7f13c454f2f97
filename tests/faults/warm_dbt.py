"""dbt for runs that nothing strikes: the real one, imported once; most of a small build is imports.

`client` writes the executable that is started instead of dbt; it asks the process of `serve`.
"""

import importlib
import json
import os
import socket
import stat
import sys
import traceback
from pathlib import Path

CLIENT = """\
#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(request).to_bytes(8, "big")], [1, 2])
    server.sendall(request)
    answer = server.recv(1)
sys.exit(answer[0] if answer else 70)
"""


def client(folder: Path) -> Path:
    """Write the executable and return its path."""
    path = folder / "dbt"
    path.write_text(CLIENT.format(python=sys.executable, address=str(folder / "dbt.socket")))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def serve(folder: Path) -> int:
    """Start to serve in a fork of this process, and return its pid."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "dbt.socket"))
        listener.listen()
        pid = os.fork()
        if pid:
            return pid
        for module in ("dbt.cli.main", "dbt.adapters.duckdb"):
            importlib.import_module(module)

        parent = os.getppid()
        listener.settimeout(1)
        while os.getppid() == parent:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(60)
                _answer(connection)
        os._exit(0)


def _answer(connection: socket.socket) -> None:
    head, descriptors, _, _ = socket.recv_fds(connection, 8, 2)
    size, body = int.from_bytes(head, "big"), b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    child = os.fork()
    if child == 0:
        _become_dbt(json.loads(body), descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    connection.sendall(bytes([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF]))


def _become_dbt(request: tuple[list[str], str, dict[str, str]], descriptors: list[int]) -> None:
    code = 70
    try:
        sys.argv, folder, environment = request
        for number, descriptor in enumerate(descriptors, 1):
            os.dup2(descriptor, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        from dbt.cli.main import cli

        cli()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0
    except BaseException:  # noqa: BLE001  dbt's own last words
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
