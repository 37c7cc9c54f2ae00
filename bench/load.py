"""Our server under load against a bare Starlette answer of the same bytes, each a process of its own behind the same uvicorn.

Clients of a third process keep their connections and ask again as soon as they are answered; the two servers are asked in
turns. What is compared is the time between two answers (the inverse of requests a second), and our slowest in a hundred with
the middle one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import httptools
import orjson

from bench.timing import Result
from tests.fixtures.twin import free_port

_ROOT: Final = Path(__file__).parents[1]
_TURN_SECONDS: Final = 2.0
_UP_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for by how many at a time."""

    name: str
    path: str
    clients: int
    wanted: str = ""


class _Client(asyncio.Protocol):
    """One connection that asks the same again and again until a moment."""

    def __init__(self, request: bytes, until: float, taken: list[float]) -> None:
        self._request = request
        self._until = until
        self._taken = taken
        self._parser = httptools.HttpResponseParser(self)
        self._sent = 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        now = time.perf_counter()
        if self._parser.get_status_code() != 200:
            self.over.set_exception(SystemExit(f"{self._request[:120]!r} answered {self._parser.get_status_code()}"))
            self._transport.close()
            return
        self._taken.append(now - self._sent)
        if now < self._until:
            self._parser = httptools.HttpResponseParser(self)
            # Not from inside the parser, which may hold the last bytes of this answer still.
            asyncio.get_running_loop().call_soon(self._ask)
        else:
            self._transport.close()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.over.done():
            if problem is None and time.perf_counter() >= self._until:
                self.over.set_result(None)
            else:
                self.over.set_exception(SystemExit(f"the server closed the connection: {problem!r}"))


async def _turn(port: int, asked: Asked) -> tuple[float, list[float]]:
    """Answers a second, and the seconds that each took."""
    taken: list[float] = []
    request = f"GET {asked.path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: */*\r\n\r\n".encode()
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(asked.clients):
        _, client = await loop.create_connection(
            lambda: _Client(request, began + _TURN_SECONDS, taken), "127.0.0.1", port
        )
        clients.append(client)
    await asyncio.gather(*(client.over for client in clients))
    return len(taken) / (time.perf_counter() - began), taken


@contextlib.contextmanager
def _process(command: list[str], port: int, environment: dict[str, str], path: str) -> Iterator[None]:
    with subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + _UP_SECONDS
            while True:
                try:
                    _get(port, path)
                    break
                except OSError:
                    if time.monotonic() > end or process.poll() is not None:
                        raise
                    time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        body: bytes = answer.read()
        return body


def measure(home: Path, *, rows: int, rounds: int) -> list[Result]:
    """Serve the catalogue of a home (`rows` tracks at least) and the bare answers, and ask both."""
    ours, bare = free_port(), free_port()
    environment = {
        **os.environ, "TENSOE_HOME": str(home), "TENSOE_DEMO": "off", "LOG_LEVEL": "ERROR", "DATABASE_URL": "",
        "RATE_LIMIT": "off", "API_PORT": str(ours), "API_HOST": "127.0.0.1", "ML_TRAINING_DATA_LIMIT": str(max(rows, 50_000)),
    }  # fmt: skip
    with _process([sys.executable, "-m", "backend.startup"], ours, environment, "/live"):
        first: Any = orjson.loads(_get(ours, "/ml/training-data?limit=1"))
        everything = [
            Asked(name="/", path="/", clients=16),
            Asked(name="/ml/genres", path="/ml/genres", clients=16, wanted="≤ 2"),
            Asked(name="/ml/recommendations", path=f"/ml/recommendations/{first['data'][0]['id']}?k=10", clients=16),
            Asked(name="100 training rows", path="/ml/training-data?limit=100", clients=16),
            Asked(name=f"{rows:,} training rows", path=f"/ml/training-data?limit={rows}", clients=2),
        ]
        folder = home / "bare answers"
        folder.mkdir()
        for number, asked in enumerate(everything):
            (folder / f"{number}").write_bytes(_get(ours, asked.path))
        with _process([sys.executable, "-m", "bench.bare", str(bare), str(folder)], bare, dict(os.environ), "/0"):
            found = []
            for number, asked in enumerate(everything):
                found += asyncio.run(_compared(ours, bare, number, asked, rounds=rounds))
    return found


async def _compared(ours: int, bare: int, number: int, asked: Asked, *, rounds: int) -> list[Result]:
    rates: dict[int, list[float]] = {ours: [], bare: []}
    slow: list[float] = []
    same = Asked(name=asked.name, path=f"/{number}", clients=asked.clients)
    for turn in range(rounds + 1):  # the first warms up
        for port in (ours, bare) if turn % 2 else (bare, ours):
            rate, taken = await _turn(port, asked if port == ours else same)
            if turn:
                rates[port].append(rate)
                slow += taken if port == ours else []
    return [
        Result(
            what=f"{asked.name}: between two answers, {asked.clients} clients", against="a bare Starlette answer, same bytes",
            ours=1 / statistics.median(rates[ours]), other=1 / statistics.median(rates[bare]), rows=1, wanted=asked.wanted,
        ),
        Result(
            what=f"{asked.name}: the 99th of a hundred (p99)", against="the middle one (p50)",
            ours=statistics.quantiles(slow, n=100)[98], other=statistics.median(slow), wanted="≤ 10",
        ),
    ]  # fmt: skip
