"""Guarding, from outside: keys, production, CORS, rate limit, a dead Redis, secrets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from backend.config.settings import Settings
from backend.repositories.database import Database
from backend.routes.application import build_app
from backend.utils.errors import ConfigurationError
from tests.acceptance.test_api_bad_input import assert_problem, count_rows
from tests.fixtures.api import Open, environment
from tests.fixtures.twin import free_port

ALBUM = {"album_name": "Abbey Road", "artist_name": "The Beatles"}
WRITES = (
    ("/ml/ingest/album", ALBUM),
    ("/ml/ingest/batch", {"albums": [["Abbey Road", "The Beatles"]]}),
    ("/ml/export/training-data?filename=x.csv", None),
    ("/ml/export/feature-matrix?filename=x.csv", None),
)
PRODUCTION = {"ENVIRONMENT": "production", "API_KEYS": "first-long-key, second-long-key"}


async def test_production_writes_need_a_key(open_api: Open, database: Database) -> None:
    async with open_api(**PRODUCTION) as api:
        for path, body in WRITES:
            assert_problem(await api.post(path, json=body), 401)
            assert_problem(await api.post(path, json=body, headers={"x-api-key": "wrong"}), 401)
        assert await count_rows(database) == 0
        for headers in ({"x-api-key": "first-long-key"}, {"authorization": "Bearer second-long-key"}):
            assert (await api.post("/ml/ingest/album", json=ALBUM, headers=headers)).status_code == 200
        assert (await api.get("/ml/training-data")).status_code == 200, "reading needs none"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"API_KEYS": ""}, "API_KEYS"),
        ({"DEBUG": "true"}, "DEBUG"),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS"),
        ({"CORS_ORIGINS": "https://a.example, *"}, "CORS_ORIGINS"),
    ],
)
def test_unsafe_production_is_refused(variables: dict[str, str], named: str) -> None:
    with environment(**PRODUCTION | variables), pytest.raises(ConfigurationError, match=named):
        Settings()


async def test_cors_is_by_setting(open_api: Open) -> None:
    asking = {"origin": "https://app.example"}
    before = {**asking, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    async with open_api() as api:
        assert "access-control-allow-origin" not in (await api.get("/", headers=asking)).headers
    async with open_api(CORS_ORIGINS="https://app.example") as api:
        answer = await api.get("/", headers=asking)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "RateLimit" in answer.headers["access-control-expose-headers"]
        preflight = await api.options("/ml/ingest/album", headers=before)
        assert preflight.status_code == 200
        other = await api.get("/", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_the_rate_limit_is_told_and_held(open_api: Open) -> None:
    async with open_api(RATE_LIMIT="3/minute") as api:
        answers = [await api.get("/ml/genres") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert all("ratelimit" in a.headers and "ratelimit-policy" in a.headers for a in answers)
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert_problem(answers[-1], 429)


async def test_the_rate_limit_is_shared_through_redis(open_api: Open, redis_url: str) -> None:
    async with open_api(RATE_LIMIT="4/minute", REDIS_URL=redis_url) as one:
        assert [(await one.get("/ml/jobs")).status_code for _ in range(3)] == [200] * 3
    async with open_api(RATE_LIMIT="4/minute", REDIS_URL=redis_url) as other:
        assert [(await other.get("/ml/jobs")).status_code for _ in range(2)] == [200, 429]


async def test_a_dead_redis_costs_no_answer(open_api: Open) -> None:
    dead = f"redis://:planted-password@127.0.0.1:{free_port()}/0"
    async with open_api(REDIS_URL=dead, RATE_LIMIT="100/minute") as api:
        assert (await api.post("/ml/ingest/album", json=ALBUM)).status_code == 200
        for path in ("/", "/ml/genres", "/ml/analytics", "/albums", "/system"):
            answer = await api.get(path)
            assert answer.status_code == 200
            assert "planted-password" not in answer.text
        assert (await api.get("/system")).json()["cache"] == {"kind": "redis", "reachable": False}


async def test_an_ingestion_empties_what_was_cached(open_api: Open, redis_url: str) -> None:
    for variables in ({}, {"REDIS_URL": redis_url}):
        async with open_api(**variables) as api:
            before = (await api.get("/")).json()["data"]["tracks"]
            album = "Kind of Blue" if variables else "Abbey Road"
            artist = "Miles Davis" if variables else "The Beatles"
            assert (
                await api.post("/ml/ingest/album", json={"album_name": album, "artist_name": artist})
            ).status_code == 200
            assert (await api.get("/")).json()["data"]["tracks"] > before


SECRETS = {
    "API_KEYS": "planted-api-key-1",
    "SPOTIFY_CLIENT_SECRET": "planted-spotify-1",
    "SPOTIFY_CLIENT_ID": "id-1",
    "LASTFM_API_KEY": "planted-lastfm-1",
    "LASTFM_API_SECRET": "planted-lastfm-2",
    "SUPABASE_ANON_KEY": "planted-supabase-1",
}


async def test_secrets_are_in_no_answer(open_api: Open) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    nowhere = dict.fromkeys(("SPOTIFY_API_URL", "SPOTIFY_ACCOUNTS_URL", "LASTFM_API_URL", "AOTY_URL"), dead)
    async with open_api(**SECRETS, **nowhere) as api:
        key = {"x-api-key": "planted-api-key-1"}
        answers = [
            await api.post("/ml/ingest/album", json=ALBUM, headers=key),
            await api.post("/ml/ingest/album", json=ALBUM),
            await api.get("/users/rj"),
            *[await api.get(path) for path in ("/", "/system", "/metrics", "/ml/stats", "/openapi.json", "/ml/jobs")],
            await api.get("/", headers={"accept": "text/html"}),
        ]
        for answer in answers:
            assert "planted" not in answer.text, answer.url
            assert "planted" not in str(answer.headers)
        assert answers[4].json()["settings"]["api"]["API_KEYS"] == "********"


async def test_security_headers_stand_on_every_answer(api: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/nothing", "/static/page.css"):
        headers = (await api.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"].split("style-src")[0]
        assert headers["x-request-id"]


@contextlib.asynccontextmanager
async def _listening(settings: Settings, services: Any) -> AsyncIterator[int]:
    """The app behind a real server on a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            build_app(settings, services=services), log_config=None, lifespan="off", timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server._serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running


async def test_half_a_body_is_no_request(database: Database, tmp_path: Any) -> None:
    from backend.startup import open_container

    with environment(DATABASE_URL=database.dsn, TENSOE_HOME=str(tmp_path), TENSOE_DEMO="on"):
        settings = Settings()
    async with open_container(settings, worker=False) as container, _listening(settings, container.services) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b'{"album_name": "Abbey Road", "artist_name": "The Beatles"}'
        head = b"POST /ml/ingest/album HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        writer.write(head + b"content-length: %d\r\n\r\n" % (len(body) + 10) + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        del reader
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            health = await client.get("/")
            assert health.status_code == 200, "the server goes on"
        assert await count_rows(database) == 0
