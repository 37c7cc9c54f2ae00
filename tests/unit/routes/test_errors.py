"""Every error of ours has its status, and leaves as a problem that any JSON parser reads."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from backend.routes.errors import answer_for, install
from backend.routes.schemas import Name
from backend.utils import errors


class Body(BaseModel):
    name: Name
    count: int


def _make(kind: type[errors.TensoeError], message: str) -> errors.TensoeError:
    if issubclass(kind, errors.ThrottledError):
        return kind(message, until=datetime.now(UTC) + timedelta(seconds=90))
    if issubclass(kind, errors.BusyError | errors.RateLimitedError):
        return kind(message, retry_after=7)
    return kind(message)


def _all_errors() -> list[type[errors.TensoeError]]:
    return [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.TensoeError)]


STATUS = {
    "InvalidInputError": 422, "NotFoundError": 404, "ConflictError": 409, "UnauthorizedError": 401, "BusyError": 503,
    "DatabaseUnreachableError": 503, "DatabaseReadOnlyError": 503, "DatabaseFullError": 503,
    "ConfigurationError": 503, "RecordNotFoundError": 404, "AmbiguousError": 409,
    "BlockedError": 502, "ThrottledError": 503, "RateLimitedError": 503, "UnconfiguredError": 503, "RejectedError": 502,
    "UnreachableError": 502, "ServerFaultError": 502, "MalformedReplyError": 502, "TensoeError": 500,
}  # fmt: skip


@pytest.mark.parametrize("kind", _all_errors(), ids=lambda kind: kind.__name__)
async def test_every_error_becomes_a_problem(kind: type[errors.TensoeError]) -> None:
    error = _make(kind, "asking https://x/?api_key=planted1 failed; try later")
    answer = answer_for(error, instance="/here")
    body = orjson.loads(bytes(answer.body))
    assert body.keys() == {"type", "title", "status", "detail", "instance"}
    assert body["status"] == answer.status_code >= 400
    assert body["detail"] == "asking https://x/?api_key=******** failed; try later"
    if kind.__name__ in STATUS:
        assert answer.status_code == STATUS[kind.__name__]


def test_waiting_times_are_told() -> None:
    busy = answer_for(errors.BusyError("full", retry_after=2.2), instance="/")
    assert busy.headers["retry-after"] == "3"
    throttled = answer_for(_make(errors.ThrottledError, "later"), instance="/")
    assert 80 <= int(throttled.headers["retry-after"]) <= 91
    for kind in (errors.DatabaseUnreachableError, errors.DatabaseReadOnlyError, errors.DatabaseFullError):
        assert int(answer_for(kind("later"), instance="/").headers["retry-after"]) >= 5
    # Of what no waiting mends nothing is said.
    assert "retry-after" not in answer_for(errors.DatabaseRightsError("never"), instance="/").headers


def _client() -> httpx.AsyncClient:
    app = FastAPI()
    install(app)

    @app.post("/things")
    async def things(body: Body) -> str:
        return body.name

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"name": NaN, "count": Infinity}',
        b'{"name": "x", "count": -Infinity}',
        b'{"name": "\\ud800", "count": 1}',
        b'{"name": "x", "count": 1e400}',
        b"\xff\xfe",
        b'{"name": ' + b"[" * 3000,
    ],
)
async def test_bodies_that_do_not_fit_are_422_in_valid_json(body: bytes) -> None:
    async with _client() as client:
        answer = await client.post("/things", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    problem = orjson.loads(answer.content)  # refuses NaN, infinity and lone surrogates
    assert problem["status"] == answer.status_code
    assert problem["detail"]


async def test_the_input_is_not_repeated() -> None:
    async with _client() as client:
        answer = await client.post("/things", json={"name": ["planted-secret"], "count": "planted-secret"})
    assert answer.status_code == 422
    assert "planted-secret" not in answer.text
    assert [e["where"] for e in answer.json()["errors"]] == [["body", "name"], ["body", "count"]]


async def test_unknown_paths_and_methods_are_problems_too() -> None:
    async with _client() as client:
        missing = await client.get("/nothing")
        wrong = await client.get("/things")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert "/docs" in missing.json()["detail"]
    assert wrong.headers["allow"] == "POST"
