"""Tell what a power cut would leave of a folder: only what was fsynced, by whomever it was.

The kernel stops a confined process and its children at every fsync, DuckDB's own threads included
(a seccomp listener), until the recorder has noted what becomes durable by it. A file's data are
durable as of its last fsync; a name (made, renamed, removed) as of the last fsync of its folder,
and a file's name also with the file's own fsync, as ext4, XFS and Btrfs do it.
"""

import ctypes
import errno
import fcntl
import os
import platform
import select
import shutil
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path

# (audit architecture, seccomp, fsync, fdatasync): numbers of linux/audit.h and the syscall tables.
_NUMBERS = {"x86_64": (0xC000003E, 317, 74, 75), "aarch64": (0xC00000B7, 277, 82, 83)}
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000


def confine(channel: socket.socket) -> None:
    """Have every fsync of this process and its children announced to the other end of `channel`."""
    architecture, seccomp, *watched = _NUMBERS[platform.machine()]
    program = [(0x20, 0, 0, 4), (0x15, 0, 3, architecture), (0x20, 0, 0, 0)]
    program += [(0x15, len(watched) - n, 0, number) for n, number in enumerate(watched)]
    program += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _NOTIFY)]
    # both answers stand at the end: a match jumps to the last, any other number falls to ALLOW
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code)
    filters = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    )
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS: what an unprivileged process needs
    listener = libc.syscall(seccomp, 1, 8, filters)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "this kernel announces no system calls (seccomp)")
    socket.send_fds(channel, [b"x"], [listener])
    os.close(listener)


class Recorder:
    """Notes what is durable of `home`, of which all that is there now is; `kept` takes copies."""

    def __init__(self, home: Path, kept: Path) -> None:
        self.home, self.kept = home.resolve(), kept
        self.fsyncs = 0
        self._names: dict[int, dict[str, int | str]] = {}
        self._data: dict[int, tuple[int, Path]] = {}
        self._held: dict[int, int] = {}
        kept.mkdir(parents=True)
        for folder, _, files in os.walk(self.home):
            self._folder(Path(folder))
            for file in files:
                if not (path := Path(folder) / file).is_symlink():
                    self._file(path)
        self._root = self.home.stat().st_ino

    def watch(
        self,
        channel: socket.socket,
        has_ended: Callable[[], bool],
        answered: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Answer the announcements of a confined process until it has ended.

        `answered` is told how many there were after each.
        """
        _, (listener, *_), _, _ = socket.recv_fds(channel, 1, 1)
        try:
            while not has_ended():
                if select.select([listener], [], [], 0.01)[0]:
                    self._answer(listener)
                    answered(self.fsyncs)
        finally:
            os.close(listener)
            for descriptor in self._held.values():
                os.close(descriptor)

    def copy(self, target: Path) -> None:
        """Write to `target` the folder as it is: what a power cut leaves when all was written."""
        shutil.copytree(self.home, target, symlinks=True)

    def _answer(self, listener: int) -> None:
        notice = bytearray(80)
        try:
            fcntl.ioctl(listener, _RECEIVE, notice)
            number, process = struct.unpack_from("QI", notice)
            descriptor = struct.unpack_from("Q", notice, 32)[0]
            self._synced(Path(f"/proc/{process}/fd/{descriptor & 0xFFFFFFFF}"))
            fcntl.ioctl(listener, _SEND, bytearray(struct.pack("QqiI", number, 0, 0, 1)))
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ESRCH}:  # killed meanwhile
                raise

    def _synced(self, descriptor: Path) -> None:
        path = descriptor.readlink()
        if not path.is_relative_to(self.home):
            return
        self.fsyncs += 1
        if descriptor.is_dir():
            self._folder(path)
            return
        self._file(descriptor)
        names = self._names.get(path.parent.stat().st_ino) if path.parent.is_dir() else None
        if names is not None and path.exists():
            names[path.name] = path.stat().st_ino

    def _folder(self, folder: Path) -> None:
        """Take the names of a folder as durable."""
        names: dict[str, int | str] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                names[entry.name] = _entry(Path(entry.path))
                if entry.is_dir(follow_symlinks=False):  # there, and empty until it is fsynced
                    self._names.setdefault(self._hold(Path(entry.path)), {})
        self._names[self._hold(folder)] = names

    def _file(self, path: Path) -> None:
        """Take the data of a file as durable."""
        if not stat.S_ISREG(path.stat().st_mode):
            return
        inode = self._hold(path)
        copy = self.kept / str(inode)
        shutil.copyfile(path, copy)
        self._data[inode] = (stat.S_IMODE(path.stat().st_mode), copy)

    def _hold(self, path: Path) -> int:
        """Return the inode's number, which no other file gets from here on."""
        inode = path.stat().st_ino
        if inode not in self._held:
            self._held[inode] = os.open(path, os.O_PATH)
        return inode

    def cut(self, target: Path, *, keeps_names: bool) -> None:
        """Write to `target` what a power cut leaves of the folder.

        Data that were not fsynced are lost; names that were not are too, unless the file system
        wrote them by itself (`keeps_names`): a renamed file is then there, and empty.
        """
        self._write(self.home if keeps_names else None, self._root, target)

    def _write(self, live: Path | None, inode: int, target: Path) -> None:
        target.mkdir()
        for name, entry in sorted(self._listed(live, inode).items()):
            path, below = target / name, live and live / name
            if isinstance(entry, str):
                path.symlink_to(entry)
            elif entry in self._data:
                mode, copy = self._data[entry]
                shutil.copyfile(copy, path)
                path.chmod(mode)
            elif entry in self._names or (below and below.is_dir()):
                self._write(below, entry, path)
            else:
                path.touch()

    def _listed(self, live: Path | None, inode: int) -> dict[str, int | str]:
        if live is None:
            return self._names[inode]
        return {path.name: _entry(path) for path in live.iterdir()}


def _entry(path: Path) -> int | str:
    """Return where a symlink points, or the inode of anything else."""
    return str(path.readlink()) if path.is_symlink() else path.stat().st_ino
