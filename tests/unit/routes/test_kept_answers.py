"""Small answers are given again until the catalogue changes, and only those that may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from backend.routes.kept_answers import KEPT, KeptAnswers

GENRES = "/ml/genres"
Answer = Callable[[Request], Awaitable[Response]]


class Served:
    """An app that counts what it is asked, behind kept answers, with a clock and a catalogue of its own."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.asked: list[str] = []
        self.now, self.changes = 0.0, 0
        self.is_up = True
        self.routes: list[Any] = []
        self._answer = answer
        app = Starlette(routes=[Route("/{path:path}", self._one, methods=["GET", "POST"])])
        kept = KeptAnswers(app, cleared=lambda: self.changes if self.is_up else None, timer=lambda: self.now)

        async def outer(scope: Any, receive: Any, send: Any) -> None:
            async def adding(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((b"x-number", str(len(self.routes)).encode()))
                await send(message)

            await kept(scope, receive, adding)
            self.routes.append(scope.get("route"))

        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://here")

    async def _one(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        if self._answer is not None:
            return await self._answer(request)
        return PlainTextResponse(f"{request.url.query} {len(self.asked)}", headers={"x-own": "1"})

    async def get(self, path: str = GENRES) -> str:
        return (await self.client.get(path)).text


async def test_an_answer_is_given_again_with_its_headers_and_its_route() -> None:
    served = Served()
    first, second = await served.client.get(GENRES), await served.client.get(GENRES)
    assert (first.text, len(served.asked)) == (second.text, 1)
    assert second.headers["x-own"] == "1"
    # What those further out add belongs to one answer.
    assert second.headers.get_list("x-number") == ["1"]
    assert served.routes[1] is served.routes[0]


async def test_queries_are_apart() -> None:
    served = Served()
    assert await served.get(f"{GENRES}?limit=1") != await served.get(f"{GENRES}?limit=2")
    assert len(served.asked) == 2


async def test_not_after_a_change_nor_after_its_time() -> None:
    served = Served()
    await served.get()
    served.changes += 1
    await served.get()
    served.now = 1.9
    await served.get()
    assert len(served.asked) == 2
    served.now = 2.1
    await served.get()
    assert len(served.asked) == 3


async def test_what_a_change_overtook_is_not_kept() -> None:
    async def changing(_: Request) -> Response:
        served.changes += 1
        return PlainTextResponse("old")

    served = Served(changing)
    await served.get()
    await served.get()
    assert len(served.asked) == 2


async def test_nothing_is_kept_while_nothing_is_known_of_the_catalogue() -> None:
    served = Served()
    served.is_up = False
    await served.get()
    await served.get()
    assert len(served.asked) == 2


async def pieces() -> Any:
    yield b"one"
    yield b"two"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: PlainTextResponse("wrong", 422),
        lambda: PlainTextResponse("x" * 65_537),
        lambda: StreamingResponse(pieces()),
    ],
)
async def test_only_what_is_good_small_and_whole(answer: Callable[[], Response]) -> None:
    async def one(_: Request) -> Response:
        return answer()

    served = Served(one)
    assert await served.get() == await served.get()
    assert len(served.asked) == 2


async def test_other_paths_and_methods_are_left_alone() -> None:
    served = Served()
    for _ in range(2):
        await served.get("/ml/stats")
        await served.client.post(GENRES)
    assert len(served.asked) == 4
    assert "/ml/stats" not in KEPT


async def test_the_oldest_goes_when_there_are_many() -> None:
    served = Served()
    for n in range(257):
        await served.get(f"{GENRES}?n={n}")
    await served.get(f"{GENRES}?n=256")
    assert len(served.asked) == 257
    await served.get(f"{GENRES}?n=0")
    assert len(served.asked) == 258
