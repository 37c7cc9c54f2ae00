"""Training rows over ASGI against SQLAlchemy's ORM rows through FastAPI's default answer."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from backend.models.track import TrackRow
from backend.repositories.database import Database
from backend.routes.application import build_app
from backend.startup import Container
from bench.timing import Result, in_turns


async def answer(app: Any, path: str, query: str = "") -> bytes:
    """The body of a GET over ASGI, without a server between."""
    body: list[bytes] = []
    status = 0
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": [(b"host", b"bench")],
        "client": ("127.0.0.1", 1), "server": ("bench", 80),
    }  # fmt: skip
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            import asyncio

            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            body.append(message.get("body", b""))

    await app(scope, receive, send)
    if status != 200:
        raise SystemExit(f"{path}?{query} answered {status}: {b''.join(body)[:500]!r}")
    return b"".join(body)


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
    """Ask both for the same rows, as JSON and as Arrow."""
    ours, usual = build_app(container.settings, services=container.services), usual_app(container.database)
    found = []
    for form in ("json", "arrow"):

        async def serve(form: str = form) -> bytes:
            return await answer(ours, "/ml/training-data", f"limit={rows}&format={form}")

        async def serve_usual() -> bytes:
            return await answer(usual, "/rows", f"limit={rows}")

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
            )
        )
    return found
