"""Training rows over ASGI against SQLAlchemy's ORM rows through FastAPI's default answer; first bytes; features of one track."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any, Final

import orjson
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from backend.models.track import TrackRow
from backend.repositories.database import Database
from backend.routes.application import build_app
from backend.services.recipes import parse_recipe
from backend.startup import Container
from bench.timing import Result, in_turns

_ASKED: Final = 1_000  # times, for the slowest in a hundred
_FIRSTS: Final = 20
_TRACK: Final = {
    "title": "Come Together", "artist": "The Beatles", "duration_ms": 259_946, "tempo": 165.0, "energy": 0.38,
    "danceability": 0.53, "genres": ["rock"], "moods": ["warm"],
}  # fmt: skip


async def answer(app: Any, path: str, query: str = "", *, body: bytes | None = None) -> tuple[bytes, float]:
    """The body of a GET, or of a POST of JSON, over ASGI without a server between; and the seconds until its first byte."""
    parts: list[bytes] = []
    status, first = 0, 0.0
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST" if body else "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"bench"), *([(b"content-type", b"application/json")] if body else [])],
        "client": ("127.0.0.1", 1), "server": ("bench", 80),
    }  # fmt: skip
    asked = False
    started = time.perf_counter()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, first
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            if not parts:
                first = time.perf_counter() - started
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    if status != 200:
        raise SystemExit(f"{path}?{query} answered {status}: {b''.join(parts)[:500]!r}")
    return b"".join(parts), first


def usual_app(database: Database) -> FastAPI:
    """What one writes first: ORM rows, returned."""
    app = FastAPI()
    engine = create_async_engine(database.sqlalchemy_url)

    @app.get("/rows", response_model=None)  # FastAPI turns what it does not know into JSON by itself
    async def rows(limit: int) -> Any:
        async with AsyncSession(engine) as session:
            return (await session.scalars(select(TrackRow).order_by(TrackRow.id).limit(limit))).all()

    return app


async def measure(container: Container, *, rows: int, rounds: int) -> list[Result]:
    """Ask both for the same rows, as JSON and as Arrow; then ours for first bytes and for features of one track."""
    ours, usual = build_app(container.settings, services=container.services), usual_app(container.database)
    found = []
    for form in ("json", "arrow"):

        async def serve(form: str = form) -> bytes:
            return (await answer(ours, "/ml/training-data", f"limit={rows}&format={form}"))[0]

        async def serve_usual() -> bytes:
            return (await answer(usual, "/rows", f"limit={rows}"))[0]

        if form == "json":
            same = len(orjson.loads(await serve())["data"]) == len(orjson.loads(await serve_usual())) == rows
            if not same:
                raise SystemExit("the two do not answer the same rows")
        mine, other = await in_turns(serve, serve_usual, rounds=rounds)
        found.append(
            Result(
                what=f"serve {rows:,} training rows as {form}",
                against="ORM rows through FastAPI's default answer",
                ours=mine,
                other=other,
                rows=rows,
                wanted="≤ 0.1" if form == "json" else "",
            )
        )
        firsts = [(await answer(ours, "/ml/training-data", f"limit={rows}&format={form}"))[1] for _ in range(_FIRSTS)]
        found.append(
            Result(
                what=f"first byte of {rows:,} training rows as {form}", against="100 ms",
                ours=statistics.median(firsts), other=0.1, wanted="≤ 1",
            )
        )  # fmt: skip
    return [*found, await _features(ours, container)]


async def _features(app: Any, container: Container) -> Result:
    """How long `POST /ml/features` takes for one track: the slowest of a hundred, and the middle one."""
    built = await container.services.datasets.build(parse_recipe({"name": "bench", "naive_gain": False}))
    asked = orjson.dumps({"dataset": "bench", "tracks": [_TRACK]})
    taken = []
    for turn in range(_ASKED + 10):
        started = time.perf_counter()
        await answer(app, "/ml/features", body=asked)
        if turn >= 10:  # the first ones read the pipeline and write its expressions
            taken.append(time.perf_counter() - started)
    return Result(
        what=f"POST /ml/features, one track, {len(built.manifest.features)} columns: the 99th of a hundred (p99)",
        against="the middle one (p50)", ours=statistics.quantiles(taken, n=100)[98], other=statistics.median(taken),
    )  # fmt: skip
