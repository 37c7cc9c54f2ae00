"""PostgreSQL is away, is killed, takes no changes or has no room while a server answers and a job is worked off."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from backend.demo.catalogue import albums
from backend.repositories.database import Database
from backend.repositories.embedded import Lease, acquire
from tests.fixtures.api import opened
from tests.fixtures.forwarding import line_to_postgres
from tests.fixtures.postgres import clone, with_database


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lease]:
    """A server of our own that may be harmed."""
    home = tmp_path_factory.mktemp("shaky")
    home.chmod(0o755)
    lease = acquire(home)
    asyncio.run(clone(lease.dsn, "shaky"))
    try:
        yield lease
    finally:
        lease.release()


@pytest.fixture
async def unheard() -> AsyncIterator[list[dict[str, Any]]]:
    """What the loop was told because nobody else was: futures whose error no one took, callbacks that broke."""
    loop, told = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _, context: told.append(context))
    try:
        yield told
    finally:
        loop.set_exception_handler(None)


def heard_of(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was told until now, and by what is forgotten now."""
    gc.collect()
    return told


@contextlib.asynccontextmanager
async def serving(dsn: str, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    usual = {"DATABASE_URL": dsn, "TENSOE_HOME": str(home), "TENSOE_DEMO": "on", "RATE_LIMIT": "off"}
    async with opened(worker=True, **usual, INGESTION_MAX_CONCURRENT="2") as (api, _):
        yield api


async def reading_paths(api: httpx.AsyncClient) -> list[str]:
    """All that can be read, something filled in for what stands in braces."""
    described = (await api.get("/openapi.json")).json()
    return [re.sub(r"\{[^}]+\}", "1", path) for path, methods in described["paths"].items() if "get" in methods]


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def fetchval(dsn: str, statement: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval(statement))
    finally:
        await connection.close()


def is_told(answer: httpx.Response, words: str) -> None:
    """It is a sentence with a time after which to ask again, and no error of ours."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"
    assert re.search(words, answer.json()["detail"]), answer.text


async def begun(api: httpx.AsyncClient) -> str:
    """A job of the demo's albums, of which some are done and some are not."""
    names = [[album.title, album.artist] for album in albums()]
    job = str((await api.post("/ml/ingest/batch", json={"albums": names})).json()["job_id"])
    while (status := (await api.get(f"/ml/jobs/{job}")).json())["counts"].get("complete", 0) < 3:
        await asyncio.sleep(0.01)
    assert status["finished_at"] is None
    return job


async def finished(api: httpx.AsyncClient, job: str) -> dict[str, Any]:
    """The job once it has ended by itself; answers may be late by what others are told to wait."""
    async with asyncio.timeout(90):
        while True:
            answer = await api.get(f"/ml/jobs/{job}")
            if answer.status_code == 200 and (found := answer.json())["finished_at"] is not None:
                return dict(found)
            assert answer.status_code in {200, 503}, answer.text
            await asyncio.sleep(0.1)


async def is_whole(api: httpx.AsyncClient, job: str) -> None:
    """Every album came in, once."""
    status = await finished(api, job)
    assert status["counts"].get("complete") == len(albums()), status
    assert (await api.get("/albums")).json()["total"] == len(albums())


async def test_while_it_is_away_requests_are_told_and_a_job_goes_on_afterwards(
    database: Database, tmp_path: Path, unheard: list[dict[str, Any]]
) -> None:
    async with line_to_postgres(database.dsn) as (address, line), serving(address, tmp_path) as api:
        paths = await reading_paths(api)
        job = await begun(api)
        line.cut()
        for path in paths:
            answer = await api.get(path)
            assert answer.status_code in {200, 404, 422, 503}, f"{path}: {answer.text}"
            if answer.status_code == 503 and "not set" not in answer.text:
                is_told(answer, "cannot be reached")
        for path in ("/ready", "/albums", "/ml/training-data", "/ml/feature-matrix", f"/ml/jobs/{job}"):
            is_told(await api.get(path), "cannot be reached")
        is_told(await api.post("/ml/ingest/batch", json={"albums": [["Album", "Artist"]]}), "cannot be reached")
        assert (await api.get("/live")).status_code == 200
        await asyncio.sleep(2)  # longer than the worker waits between its tries
        await line.mend()
        await is_whole(api, job)
    assert not heard_of(unheard)


async def test_a_killed_server_is_there_again_and_nothing_is_lost(
    server: Lease, tmp_path: Path, unheard: list[dict[str, Any]]
) -> None:
    async with serving(with_database(server.dsn, "shaky"), tmp_path) as api:
        job = await begun(api)
        os.kill(int((server.folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        await is_whole(api, job)
    assert not heard_of(unheard)


async def test_while_it_can_only_be_read_reading_goes_on_and_a_job_waits(
    database: Database, tmp_path: Path, unheard: list[dict[str, Any]]
) -> None:
    name = database.dsn.split("?")[0].rsplit("/", 1)[1]
    admin = with_database(database.dsn, "postgres")
    anew = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    async with serving(database.dsn, tmp_path) as api:
        paths = await reading_paths(api)
        job = await begun(api)
        await execute(admin, f"ALTER DATABASE {name} SET default_transaction_read_only = on", anew)
        try:
            while (await api.get("/ready")).status_code != 200:  # until no lost connection is left
                await asyncio.sleep(0.1)
            for path in paths:
                answer = await api.get(path)
                assert answer.status_code in {200, 404, 422} or "not set" in answer.text, f"{path}: {answer.text}"
            for path, body in WRITES.items():
                is_told(await api.post(path, json=body), "can only be read at present")
            assert (await api.get("/ready")).status_code == 200
            before = (await api.get(f"/ml/jobs/{job}")).json()["counts"]
            await asyncio.sleep(2)
            assert (await api.get(f"/ml/jobs/{job}")).json()["counts"] == before
        finally:
            await execute(admin, f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await is_whole(api, job)
    assert not heard_of(unheard)


@contextlib.asynccontextmanager
async def no_room(server: Lease, dsn: str, table: str) -> AsyncIterator[None]:
    """A table, empty as yet, whose file lies where every write fails as on a full disk."""
    file = server.folder / "data" / await fetchval(dsn, f"SELECT pg_relation_filepath('{table}')")
    aside = file.with_name("aside")
    file.rename(aside)
    file.symlink_to("/dev/full")
    await execute(with_database(dsn, "postgres"), FORGET)  # who has the old file open
    try:
        yield
    finally:
        file.unlink()
        aside.rename(file)
        await execute(with_database(dsn, "postgres"), FORGET)


FORGET = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shaky'"


async def test_without_room_for_what_is_written_reading_goes_on_and_a_job_waits(
    server: Lease, tmp_path: Path, unheard: list[dict[str, Any]]
) -> None:
    dsn = with_database(server.dsn, "shaky")
    await execute(
        dsn,
        "TRUNCATE source_records, ingest_jobs, ingest_items, ingest_steps, albums, artists, tensoe_pgqueuer CASCADE",
    )
    async with serving(dsn, tmp_path) as api:
        async with no_room(server, dsn, "source_records"):
            names = [[album.title, album.artist] for album in albums()]
            job = str((await api.post("/ml/ingest/batch", json={"albums": names})).json()["job_id"])
            is_told(await api.post("/ml/ingest/album", json=ALBUM), "no room left.*nothing was changed")
            assert (await api.get("/albums")).json()["total"] == 0
            await asyncio.sleep(4)  # longer than the worker waits between its tries
            counts = (await api.get(f"/ml/jobs/{job}")).json()["counts"]
            assert counts.get("complete", 0) == counts.get("failed", 0) == 0, counts
            for path in await reading_paths(api):
                answer = await api.get(path)
                assert answer.status_code in {200, 404, 422} or "not set" in answer.text, f"{path}: {answer.text}"
        await is_whole(api, job)
    assert not heard_of(unheard)


ALBUM = {"album_name": "Abbey Road", "artist_name": "The Beatles"}
WRITES = {
    "/ml/ingest/batch": {"albums": [["Album", "Artist"]]},
    "/ml/ingest/album": ALBUM,
    "/system/keys": {"name": "k", "scopes": ["read"]},
}
