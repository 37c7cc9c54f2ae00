"""The process that starts, watches and stops the embedded PostgreSQL. Run by `server.py`; standard library alone.

python -I -S watchdog.py '{"programs": …, "state": …, "sockets": …, "account": [uid, gid] | null, "user": …, "database": …}'
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LOCK = "watchdog"
FAILURE = "failure"
_GRACE = 3.0  # seconds without users before the server is stopped: commands in a row share it
_POLL = 0.2
_MOST_RESTARTS = 5  # within a minute
_LEFTOVER = "shared memory block"  # "pre-existing shared memory block … is still in use"
_LEFTOVER_SECONDS = 30.0
_PORT = 5432  # names the socket's file; nothing listens on TCP

_SETTINGS = {
    "listen_addresses": "",
    # POSIX shared memory goes away with some containers' limits; files always work.
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}


def answers(sockets: Path, *, user: str, database: str) -> bool:
    """Whether the server takes connections: a start-up message is answered with an authentication request.

    Wire form: PostgreSQL documentation, "Message Formats", StartupMessage (protocol 3.0).
    """
    body = struct.pack("!i", 3 << 16) + b"".join(
        part.encode() + b"\0" for part in ("user", user, "database", database, "")
    )
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(5)
        try:
            peer.connect(str(sockets / f".s.PGSQL.{_PORT}"))
            peer.sendall(struct.pack("!i", len(body) + 4) + body)
            return peer.recv(1) == b"R"
        except OSError:
            return False


class Watchdog:
    """Holds the server while somebody uses it."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.programs, self.state, self.sockets = (Path(orders[k]) for k in ("programs", "state", "sockets"))
        self.account, self.user, self.database = orders["account"], orders["user"], orders["database"]
        self.data = self.state / "data"
        self.server: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Watch until nobody is left; the exit code."""
        lock = self.open("watchdog")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        finally:
            print("watching", flush=True)  # noqa: T201 - what the starter waits for
            # The starter's pipe must not be held by the server.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(0))
        try:
            self.start()
            self.watch()
        except StartError as problem:
            (self.state / FAILURE).write_text(str(problem))
            return 1
        except SystemExit:
            # Asked to end: users keep their server, and the next one who joins starts another watchdog.
            if not self.others_left():
                self.stop()
            raise
        return 0

    def open(self, name: str) -> int:
        """A lock file's descriptor."""
        return os.open(self.state / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def others_left(self) -> bool:
        """Whether any process holds the users' lock."""
        users = self.open("users")
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(users)

    def alive(self) -> bool:
        """Whether the server answers."""
        return answers(self.sockets, user=self.user, database=self.database)

    # -- starting ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the server unless it answers already (its last watchdog was killed)."""
        if self.alive():
            return
        if not (self.data / "PG_VERSION").exists():
            self.initialise()
        self.clear_stale()
        settings = {**_SETTINGS, "unix_socket_directories": str(self.sockets), "unix_socket_permissions": "0700"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self.server = self.spawn([self.programs / "postgres", "-D", self.data, *options])
        end = time.monotonic() + _LEFTOVER_SECONDS
        while not self.alive():
            if self.server.poll() is not None and _LEFTOVER in self.last_words() and time.monotonic() < end:
                # Its first process was killed and others of it live on for a moment.
                time.sleep(_POLL)
                self.server = self.spawn([self.programs / "postgres", "-D", self.data, *options])
            elif self.server.poll() is not None:
                raise StartError(f"it ended with code {self.server.returncode}: {self.last_words()}")
            time.sleep(0.01)

    def spawn(self, command: list[Any], **more: Any) -> "subprocess.Popen[bytes]":
        """Run a program of PostgreSQL's under the server's user, its output in the log."""
        if self.account:
            more |= {"user": self.account[0], "group": self.account[1], "extra_groups": []}
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LD_"))}
        # A postmaster.pid with this pid in it is known to be stale.
        environment |= {"PG_GRANDPARENT_PID": str(os.getppid()), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        words = [str(word) for word in command]
        with (self.state / "postgres.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - programs of the wheel, arguments of our own
                words, env=environment, cwd=self.state, stdout=log, stderr=log, start_new_session=True, **more
            )

    def initialise(self) -> None:
        """Make the data directory; it appears whole or not at all."""
        draft = self.state / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        made = self.spawn(
            [self.programs / "initdb", "-D", draft, "-U", self.user, "--auth=trust", "--encoding=UTF8",
             "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if made.wait() != 0:
            raise StartError(f"initdb failed: {self.last_words()}")
        single = self.spawn([self.programs / "postgres", "--single", "-D", draft, "template1"], stdin=subprocess.PIPE)
        single.communicate(f"CREATE DATABASE {self.database};\n".encode())
        if single.returncode != 0:
            raise StartError(f"the database could not be made: {self.last_words()}")
        draft.rename(self.data)

    def clear_stale(self) -> None:
        """Remove pid files whose pid is no server of this data directory; wait for one that is (starting or stopping)."""
        for _ in range(600):
            pid = self.recorded_pid()
            if pid is None:
                return
            if not self.is_ours(pid):
                break
            if self.alive():
                return
            time.sleep(0.05)
        else:
            raise StartError(
                f"a PostgreSQL (process {pid}) holds {self.data} and does not answer; end it and try again"
            )
        for path in (
            self.data / "postmaster.pid",
            self.sockets / f".s.PGSQL.{_PORT}.lock",
            self.sockets / f".s.PGSQL.{_PORT}",
        ):
            path.unlink(missing_ok=True)

    def recorded_pid(self) -> int | None:
        """The pid in postmaster.pid."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except FileNotFoundError:
            return None
        except ValueError:
            return 0  # cut short by a crash: nobody's

    def is_ours(self, pid: int) -> bool:
        """Whether a process is a postmaster of this data directory."""
        if pid <= 0:
            return False
        with contextlib.suppress(OSError):  # no /proc (macOS), or no such process
            return self.names_data(Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"))
        if Path("/proc/self").exists():
            return False
        said = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return self.names_data(said.stdout)

    def names_data(self, command: str) -> bool:
        """Whether a command line is a postmaster's of this data directory."""
        return "postgres" in command and str(self.data) in command

    def last_words(self) -> str:
        """The last lines of the log."""
        with contextlib.suppress(OSError):
            lines = (self.state / "postgres.log").read_text(errors="replace").splitlines()
            return " / ".join(line.strip() for line in lines[-4:])
        return f"see {self.state / 'postgres.log'}"

    # -- watching ----------------------------------------------------------------------------------

    def watch(self) -> None:
        """Stay until nobody has used the server for a while; start it again when it dies."""
        idle_since: float | None = None
        restarts: list[float] = []
        while True:
            time.sleep(_POLL)
            if self.died():
                restarts = [t for t in restarts if time.monotonic() - t < 60] + [time.monotonic()]
                if len(restarts) > _MOST_RESTARTS:
                    raise StartError(f"it keeps dying: {self.last_words()}")
                self.start()
            if self.others_left():
                idle_since = None
                continue
            idle_since = idle_since or time.monotonic()
            if time.monotonic() - idle_since > _GRACE and self.leave():
                return

    def died(self) -> bool:
        """Whether the server is gone."""
        if self.server is not None:
            return self.server.poll() is not None
        return not self.alive()

    def leave(self) -> bool:
        """Stop the server when still nobody is there; who comes meanwhile waits for the lock."""
        users = self.open("users")
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(users)
            return False
        self.stop()
        shutil.rmtree(self.sockets, ignore_errors=True)
        return True  # the descriptor is closed, and the lock falls, when this process ends

    def stop(self) -> None:
        """Fast shutdown: running statements are rolled back, all that was committed is written."""
        pid = self.server.pid if self.server is not None else self.recorded_pid()
        if not pid or (self.server is None and not self.is_ours(pid)):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        for _ in range(6000):
            if self.server.poll() is not None if self.server is not None else not self.is_ours(pid):
                return
            time.sleep(0.01)


class StartError(Exception):
    """The server cannot be started; the message says why."""


if __name__ == "__main__":
    sys.exit(Watchdog(json.loads(sys.argv[1])).run())
