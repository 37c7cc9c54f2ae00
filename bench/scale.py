"""Memory from a thousand albums to a hundred thousand: `python -m bench --scale [--albums 1000 10000 100000]`.

Each list is ingested into an empty home by one `tensoe worker`, from a stand-in that answers at once (`bench.stand_in`), while a
list in the terminal's form follows the job. What grows with the list would show in the worker's memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import stand_in
from bench.home import temporary_home

SIZES = (1_000, 10_000, 100_000)
_ROOT = Path(__file__).parents[1]
_OFF = ("MUSICBRAINZ", "LISTENBRAINZ", "RECCOBEATS", "ACOUSTICBRAINZ")
_KIB = 1024


@dataclass
class Run:
    """One list.

    Attributes:
        albums: of the list.
        seconds: from its acceptance to its end.
        list_peak: bytes of the process that read and sent the list, at the most.
        resident: bytes of the worker, once a second.
    """

    albums: int
    seconds: float = 0.0
    list_peak: int = 0
    resident: list[int] = field(default_factory=list)

    @property
    def peak(self) -> int:
        """Of the worker."""
        return max(self.resident)

    @property
    def late(self) -> int:
        """Of the worker, the median of the last tenth."""
        return int(statistics.median(self.resident[-max(1, len(self.resident) // 10) :]))


def measure(sizes: Sequence[int] = SIZES) -> list[Run]:
    """Each list in turn; prints as it goes, for the last takes long."""
    found = []
    with _stand_in() as base:
        for albums in sizes:
            with temporary_home() as home:
                run = _run(albums, home, base)
            found.append(run)
            print(
                f"{run.albums:>7,} albums: {run.seconds:,.0f} s, {run.albums / run.seconds:.1f} a second; worker "
                f"{run.peak / 1e6:.0f} MB at the most, {run.late / 1e6:.0f} MB at the end; "
                f"the list's sender {run.list_peak / 1e6:.0f} MB",
                flush=True,
            )
    first, last = found[0], found[-1]
    print(f"worker's memory, {last.albums:,} albums against {first.albums:,}: {last.peak / first.peak:.2f} ×")
    return found


@contextlib.contextmanager
def _stand_in() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with subprocess.Popen([sys.executable, "-m", "bench.stand_in", str(port)], cwd=_ROOT) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _run(albums: int, home: Path, base: str) -> Run:
    run = Run(albums)
    environment = {
        **{k: v for k, v in os.environ.items() if k != "DATABASE_URL"}, **{f"{name}_ENABLED": "false" for name in _OFF},
        "DEEZER_API_URL": base, "DEEZER_RATE": "5000", "TENSOE_HOME": str(home), "TENSOE_DEMO": "off", "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    command = [sys.executable, "-m", "backend.cli"]
    with subprocess.Popen([*command, "worker"], cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL) as worker:
        try:
            job = _send(albums, run, command, environment)
            started = time.monotonic()
            while not _ended(job, command, environment, run, worker.pid):
                pass
            run.seconds = time.monotonic() - started
        finally:
            worker.terminate()
    return run


def _send(albums: int, run: Run, command: list[str], environment: dict[str, str]) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("album,artist\n" + "".join("{},{}\n".format(*stand_in.names(n)) for n in range(1, albums + 1)))
        file.flush()
        with subprocess.Popen(
            [*command, "ingest", "--file", file.name, "--no-wait"], cwd=_ROOT, env=environment, stdout=subprocess.PIPE
        ) as sender:
            assert sender.stdout is not None
            said = sender.stdout.read().decode()
            _, status, usage = os.wait4(sender.pid, 0)
            sender.returncode = os.waitstatus_to_exitcode(status)
    match = re.search(r"job (\w+)", said)
    if sender.returncode or match is None:
        raise SystemExit(f"the list was not taken: {said}")
    run.list_peak = usage.ru_maxrss * _KIB
    return match[1]


def _ended(job: str, command: list[str], environment: dict[str, str], run: Run, pid: int) -> bool:
    """Look at the worker's memory for a while, then whether the job has ended."""
    for _ in range(10 if run.albums > 1_000 else 2):
        time.sleep(1)
        run.resident.append(_resident(pid))
    done = subprocess.run([*command, "jobs", "--json"], cwd=_ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    (status,) = (found for found in json.loads(done.stdout) if found["id"] == job)
    if status["finished_at"] is None:
        return False
    if status["counts"]["complete"] != run.albums:
        raise SystemExit(f"not every album came in: {status['counts']}")
    return True


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * _KIB
    raise SystemExit("the worker has ended")
