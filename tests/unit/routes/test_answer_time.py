"""A reading request whose answer does not begin in time is told so; whatever has begun may go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from backend.routes.answer_time import AnswerTime


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.get("/stubborn")
    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(60)  # as one who must ask the silent database once more

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"one "
            await asyncio.sleep(0.5)
            yield b"two"

        return StreamingResponse(parts())

    @app.post("/write")
    async def write() -> str:
        await asyncio.sleep(0.5)
        return "written"

    @app.get("/broken")
    async def broken() -> None:
        raise TimeoutError("of its own")

    app.add_middleware(AnswerTime, seconds=0.1)
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_nobody_waits_for_ever(client: httpx.AsyncClient) -> None:
    answer = await client.get("/stubborn")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert answer.json()["detail"].startswith("No answer within 0.1 seconds")


async def test_what_has_begun_and_what_writes_may_take_longer(client: httpx.AsyncClient) -> None:
    assert (await client.get("/stream")).text == "one two"
    assert (await client.post("/write")).json() == "written"


async def test_another_time_out_is_not_ours(client: httpx.AsyncClient) -> None:
    with pytest.raises(TimeoutError, match="of its own"):
        await client.get("/broken")
