"""Guards over a small app, in memory; what is sent by halves goes over a real socket in the acceptance tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from backend.routes.body_limit import BodyLimit
from backend.routes.context import RequestContext
from backend.routes.rate_limit import Pace, RateLimit
from backend.utils.errors import ConfigurationError


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.method} {len(await request.body())}")


async def _broken(request: Request) -> PlainTextResponse:
    raise RuntimeError("connection to postgresql://u:planted@db failed")


def _app(*middleware: Middleware) -> Starlette:
    return Starlette(
        middleware=middleware,
        routes=[
            Route("/echo/{what}", _echo, methods=["GET", "POST"]),
            Route("/broken", _broken),
            Route("/static/x.css", _echo),
        ],
    )


def _client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_bodies_up_to_the_bound_pass_and_beyond_it_do_not() -> None:
    async with _client(BodyLimit(_app(), max_bytes=1000)) as client:
        assert (await client.post("/echo/x", content=b"x" * 1000)).text == "POST 1000"
        declared = await client.post("/echo/x", content=b"x" * 1001)
        assert declared.status_code == 413
        assert declared.json()["status"] == 413

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield b"x" * 100

        assert (await client.post("/echo/x", content=chunks())).status_code == 413, "chunks are counted too"


async def test_a_body_without_end_is_read_no_further_than_the_bound() -> None:
    given = 0

    async def receive() -> Message:
        nonlocal given
        given += 1
        assert given <= 12
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/echo/x", "headers": [], "query_string": b""}
    await BodyLimit(_app(), max_bytes=1000)(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_a_body_that_stops_halfway_is_answered_408() -> None:
    first = True

    async def receive() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b'{"album_name": ', "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/echo/x", "headers": [(b"content-length", b"99")]}
    await BodyLimit(_app(), max_bytes=1000, seconds=0.05)(scope, receive, send)
    assert sent[0]["status"] == 408


async def test_a_client_that_goes_away_halfway_reaches_no_route() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def never(*_: object) -> None:
        raise AssertionError("the app ran with half a body")

    scope = {"type": "http", "method": "POST", "path": "/echo/x", "headers": []}
    await BodyLimit(never, max_bytes=1000)(scope, receive, never)


async def test_the_rate_limit_tells_what_is_left_and_refuses_beyond() -> None:
    refusals: list[int] = []
    pace = Pace("3/minute")
    app = RateLimit(_app(), pace=lambda: pace, refused=lambda: refusals.append(1))
    async with _client(app) as client:
        answers = [await client.get("/echo/x") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert [a.headers["ratelimit"].split(";")[1] for a in answers] == ["r=2", "r=1", "r=0", "r=0"]
        assert answers[0].headers["ratelimit-policy"] == '"default";q=3;w=60'
        assert 1 <= int(answers[3].headers["retry-after"]) <= 60
        assert answers[3].headers["content-type"] == "application/problem+json"
        assert refusals == [1]
        assert (await client.get("/static/x.css")).status_code == 200, "parts of pages are free"


async def test_each_address_has_its_own_limit() -> None:
    pace = Pace("1/minute")
    app = RateLimit(_app(), pace=lambda: pace, refused=lambda: None)
    for address in ("192.0.2.1", "192.0.2.2"):
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            assert (await client.get("/echo/x")).status_code == 200
            assert (await client.get("/echo/x")).status_code == 429


@pytest.mark.parametrize("policy", ["many", "10/fortnight", "-", "0x1/minute"])
def test_a_policy_that_is_none_is_refused(policy: str) -> None:
    with pytest.raises(ConfigurationError, match="RATE_LIMIT"):
        Pace(policy)


async def test_every_answer_has_an_id_and_security_headers() -> None:
    counted: list[dict[str, Any]] = []
    app = RequestContext(_app(), count=lambda **request: counted.append(request))
    async with _client(app) as client:
        answer = await client.get("/echo/x", headers={"x-request-id": "abc-1"})
        assert answer.headers["x-request-id"] == "abc-1"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        odd = await client.get("/nothing", headers={"x-request-id": "two words <b>"})
        assert odd.headers["x-request-id"] != "two words <b>"
    assert [c["status"] for c in counted] == [200, 404]


async def test_what_breaks_unexpectedly_is_a_problem_without_its_words() -> None:
    async with _client(_app(Middleware(RequestContext, count=lambda **_: None))) as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] in answer.json()["detail"]
    assert "planted" not in answer.text
    assert "RuntimeError" not in answer.text
