"""Where the embedded server keeps what: state, socket, locks; and under which user it runs."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.utils.errors import ConfigurationError

_LONGEST_SOCKET_FOLDER: Final = 80  # a socket's whole path must fit into 107 bytes, 103 on macOS
_ROOT_STATE: Final = Path("/var/lib/tensoe")


@dataclass(frozen=True, slots=True)
class Account:
    """The user the server runs under; None means: whoever we are."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The embedded server's places.

    Attributes:
        state: folder of the data, the log and the locks; 0700.
        sockets: short folder of the socket; 0700.
        account: who owns both when we are root (PostgreSQL refuses to run as root); None otherwise.
    """

    state: Path
    sockets: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.state / "data"

    @property
    def log(self) -> Path:
        """What the server and its watchdog say."""
        return self.state / "postgres.log"


def plan(home: Path) -> Layout:
    """The places for a TENSOE_HOME; makes the folders.

    As root the state goes to /var/lib/tensoe when the home cannot be reached by an unprivileged user (as under /root):
    opening parent folders for it would open them for everybody.

    Raises:
        ConfigurationError: a folder cannot be made, or belongs to somebody else.
    """
    home = home.expanduser().absolute()
    account = _unprivileged() if os.geteuid() == 0 else None
    mark = hashlib.sha256(os.fsencode(os.path.realpath(home))).hexdigest()[:12]
    try:
        home.mkdir(parents=True, exist_ok=True)
        state = home / "postgres"
        if account is not None and not _can_reach(home, account):
            state = _ROOT_STATE / mark
            _ROOT_STATE.mkdir(parents=True, exist_ok=True)
        layout = Layout(state, _socket_folder(mark), account)
        for folder in (layout.state, layout.sockets):
            _own(folder, account)
    except OSError as problem:
        raise ConfigurationError(
            f"The embedded PostgreSQL cannot use {problem.filename}: {problem.strerror}. "
            "Set TENSOE_HOME to a folder of your own, or DATABASE_URL to a server."
        ) from problem
    return layout


def standing(home: Path) -> Path | None:
    """Where the data of a TENSOE_HOME stand; None where there are none yet. Makes nothing."""
    home = home.expanduser().absolute()
    mark = hashlib.sha256(os.fsencode(os.path.realpath(home))).hexdigest()[:12]
    places = (home / "postgres" / "data", _ROOT_STATE / mark / "data")
    return next((place for place in places if (place / "PG_VERSION").exists()), None)


def _unprivileged() -> Account:
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise ConfigurationError(
        "PostgreSQL refuses to run as root and this system has neither a user 'postgres' nor 'nobody'; "
        "run Tensoe as an ordinary user, or set DATABASE_URL."
    )


def _socket_folder(mark: str) -> Path:
    name = f"tensoe-{os.geteuid()}-{mark}"
    # Not XDG_RUNTIME_DIR: a service and a login shell differ in it, and would not find each other.
    for parent in ("/tmp", tempfile.gettempdir()):  # noqa: S108 - 0700, owner checked
        if parent and Path(parent).is_dir() and len(os.fsencode(parent)) + len(name) < _LONGEST_SOCKET_FOLDER:
            # Runtime folders of root are closed to the user that the server runs under.
            if os.geteuid() == 0 and not _can_reach(Path(parent), _unprivileged()):
                continue
            return Path(parent) / name
    raise ConfigurationError("No folder is short enough for PostgreSQL's socket; set TMPDIR to one such as /tmp.")


def _own(folder: Path, account: Account | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(20, "not a folder", str(folder))
    if account is not None and found.st_uid == 0:
        os.chown(folder, account.uid, account.gid)
    elif found.st_uid != (account.uid if account is not None else os.geteuid()):
        raise PermissionError(13, "belongs to another user", str(folder))
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _can_reach(path: Path, account: Account) -> bool:
    """Whether a user can enter a folder, looked up by mode bits along the way."""
    for folder in (path, *path.parents):
        found = folder.stat()
        if found.st_uid == account.uid:
            allowed = found.st_mode & stat.S_IXUSR
        elif found.st_gid == account.gid:
            allowed = found.st_mode & stat.S_IXGRP
        else:
            allowed = found.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def can_read(path: Path, account: Account | None) -> bool:
    """Whether the server's user can use files in a folder."""
    return account is None or _can_reach(path, account)
