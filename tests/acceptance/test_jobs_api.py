"""Jobs through HTTP: held, called off, moved ahead, followed, reported on and taken up again."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from backend.repositories.database import Database
from tests.acceptance.test_startup import STARTUP, answer_of, process
from tests.fixtures.api import ALBUMS, Open
from tests.fixtures.twin import free_port


async def submitted(api: httpx.AsyncClient, albums: Any = ALBUMS, **more: Any) -> str:
    answer = await api.post("/ml/ingest/batch", json={"albums": albums, **more})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def finished(api: httpx.AsyncClient, job_id: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            job = (await api.get(f"/ml/jobs/{job_id}")).json()
            if job["finished_at"]:
                return job
            await asyncio.sleep(0.1)


async def test_a_job_is_held_moved_ahead_resumed_and_called_off(api: httpx.AsyncClient) -> None:
    job_id = await submitted(api, priority=5)
    where = f"/ml/jobs/{job_id}"
    assert (await api.get(where)).json()["priority"] == 5
    for change, state in (("pause", "paused"), ("resume", "open")):
        answer = await api.post(f"{where}/{change}")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert (await api.patch(where, json={"priority": -100})).json()["priority"] == -100
    assert (await api.patch(where, json={"priority": 101})).status_code == 422
    answer = await api.post(f"{where}/cancel")
    assert (answer.json()["state"], answer.json()["counts"]["cancelled"]) == ("cancelled", 3)
    for change in ("pause", "resume", "cancel"):
        refused = await api.post(f"{where}/{change}")
        assert refused.status_code == 409
        assert "was cancelled" in refused.json()["detail"]
        assert (await api.post(f"/ml/jobs/nothing/{change}")).status_code == 404
    assert (await api.patch(where, json={"priority": 1})).status_code == 409


async def test_changing_a_job_needs_the_key(open_api: Open) -> None:
    async with open_api(API_KEYS="k" * 32) as api:
        for method, path in (
            ("POST", "/ml/jobs/x/pause"), ("POST", "/ml/jobs/x/cancel"), ("PATCH", "/ml/jobs/x"),
            ("POST", "/ml/jobs/x/retry"), ("POST", "/ml/jobs/dead-letters/retry"),
        ):  # fmt: skip
            assert (await api.request(method, path, json={"priority": 1})).status_code == 401


async def test_what_did_not_end_well_is_taken_up_as_a_new_job(open_api: Open) -> None:
    async with open_api(worker=True) as api:
        job_id = await submitted(api, [*ALBUMS, ("No Such Album", "Nobody")])
        assert (await finished(api, job_id))["counts"]["not_found"] == 1
        nothing = await api.post(f"/ml/jobs/{job_id}/retry")
        assert nothing.status_code == 409
        assert "Nothing to retry" in nothing.json()["detail"]
        answer = await api.post(f"/ml/jobs/{job_id}/retry", json={"only": ["not_found"], "priority": 2})
        assert (answer.status_code, answer.json()["total"]) == (202, 1)
        job = await finished(api, answer.json()["job_id"])
        assert (job["kind"], job["priority"], job["items"][0]["album"]) == ("retry", 2, "No Such Album")
        assert (await api.post(f"/ml/jobs/{job_id}/retry", json={"only": ["complete"]})).status_code == 422
        assert (await api.post(f"/ml/jobs/{job_id}/retry", json={"only": ["soso"]})).status_code == 422


async def test_dead_letters(open_api: Open, database: Database) -> None:
    async with open_api() as api:
        assert (await api.get("/ml/jobs/dead-letters")).json() == {"data": [], "next_cursor": None}
        job_id = await submitted(api)
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE ingest_items SET state = 'done', result = 'failed', detail = 'it broke', finished_at = now()"
            )
        page = await api.get("/ml/jobs/dead-letters", params={"limit": 2})
        body = page.json()
        assert [d["job_id"] for d in body["data"]] == [job_id] * 2
        assert 'rel="next"' in page.headers["link"]
        rest = (await api.get("/ml/jobs/dead-letters", params={"cursor": body["next_cursor"]})).json()
        assert {d["album"] for d in body["data"] + rest["data"]} == {album for album, _ in ALBUMS}
        assert (await api.get("/ml/jobs/dead-letters", params={"cursor": "x"})).status_code == 422
        assert (await api.post("/ml/jobs/dead-letters/retry")).json()["total"] == 3
        assert (await api.post("/ml/jobs/dead-letters/retry")).status_code == 409


async def test_the_report_as_json_and_as_csv(open_api: Open) -> None:
    async with open_api(worker=True) as api:
        job_id = await submitted(api, [*ALBUMS, ("=1+1", "@SUM(A1)"), ('say "x", please', "x")])
        await finished(api, job_id)
        report = (await api.get(f"/ml/jobs/{job_id}/report")).json()
        assert (report["id"], report["total"], report["counts"]["complete"]) == (job_id, 5, 3)
        assert [a["result"] for a in report["albums"]] == ["complete"] * 3 + ["not_found"] * 2
        assert {s["source"]: s["outcome"] for s in report["albums"][0]["sources"]}["demo"] == "ok"
        answer = await api.get(f"/ml/jobs/{job_id}/report", params={"format": "csv"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert job_id in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [r["result"] for r in rows] == [a["result"] for a in report["albums"]]
        assert (rows[0]["album"], rows[0]["demo"], rows[0]["album_id"]) == (
            ALBUMS[0][0], "ok", report["albums"][0]["album_id"],
        )  # fmt: skip
        assert (rows[3]["album"], rows[3]["artist"]) == ("'=1+1", "'@SUM(A1)")
        assert rows[4]["album"] == 'say "x", please'
        assert (await api.get("/ml/jobs/nothing/report")).status_code == 404
        assert (await api.get(f"/ml/jobs/{job_id}/report", params={"format": "xml"})).status_code == 422


async def test_a_plan_asks_nobody_and_changes_nothing(filled: httpx.AsyncClient) -> None:
    jobs = (await filled.get("/ml/jobs")).json()
    wanted = [*ALBUMS, ("abbey road", "Beatles"), ("Nothing At All", "Nobody")]
    answer = await filled.post("/ml/ingest/plan", json={"albums": wanted})
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert (plan["total"], plan["duplicates"], plan["new"], plan["fresh"], plan["stale"]) == (5, 1, 1, 3, 0)
    sources = {s["source"]: s for s in plan["sources"]}
    assert (sources["demo"]["calls"], sources["demo"]["albums"]) == (0, 4)
    assert "SPOTIFY_CLIENT_ID" in sources["spotify"]["unconfigured"]
    assert (await filled.get("/ml/jobs")).json() == jobs
    assert (await filled.post("/ml/ingest/plan", json={"albums": []})).status_code == 422


# -- following, over a real socket -------------------------------------------------------------------


@pytest.fixture
def server(database: Database, postgres_dsn: str, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    variables = {
        "DATABASE_URL": postgres_dsn, "TENSOE_DEMO": "on", "RATE_LIMIT": "off", "LOG_LEVEL": "ERROR",
        "DB_POOL_SIZE": "3", "DB_MAX_OVERFLOW": "0",
    }  # fmt: skip
    with process(STARTUP, tmp_path, port, **variables) as running:
        answer_of(port, running)
        yield f"http://127.0.0.1:{port}"


def read(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], orjson.loads(lines["data"])))
    return found


async def test_a_job_is_followed_until_it_is_done(server: str) -> None:
    async with httpx.AsyncClient(base_url=server, timeout=60) as api:
        job_id = await submitted(api)
        answer = await api.get(f"/ml/jobs/{job_id}/events", headers={"last-event-id": "77"})
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = read(answer.text)
        name, last = events[-1]
        assert (name, last["state"], last["counts"]) == ("done", "finished", {"complete": 3})
        assert {n for n, _ in events[:-1]} <= {"progress"}
        assert {s["source"]: s["done"] for s in last["sources"]}["demo"] == {"ok": 3}
        again = read((await api.get(f"/ml/jobs/{job_id}/events")).text)
        assert [n for n, _ in again] == ["done"]
        assert (await api.get("/ml/jobs/nothing/events")).status_code == 404


async def test_readers_hold_no_connection_and_may_go_away(server: str) -> None:
    async with httpx.AsyncClient(base_url=server, timeout=30) as api:
        job_id = await submitted(api, [(f"Album {n}", "Nobody") for n in range(400)])
        assert (await api.post(f"/ml/jobs/{job_id}/pause")).json()["state"] == "paused"
        # Many more readers than the server has connections.
        streams = [api.stream("GET", f"/ml/jobs/{job_id}/events") for _ in range(12)]
        opened = [await s.__aenter__() for s in streams]
        for answer in opened:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    assert orjson.loads(line[6:])["state"] == "paused"
                    break
        assert (await api.get("/ml/jobs")).status_code == 200
        for stream in streams:
            await stream.__aexit__(None, None, None)
        async with asyncio.timeout(20):
            while not _ended((await api.get("/metrics")).json(), 12):
                await asyncio.sleep(0.1)


def _ended(metrics: Any, number: int) -> bool:
    answered = metrics["metrics"]["tensoe_http_requests"]["values"]
    return bool(number == sum(v["value"] for v in answered if v["labels"]["route"] == "/ml/jobs/{job_id}/events"))


async def test_a_list_is_read_as_a_batch_takes_it_and_nothing_is_stored(api: httpx.AsyncClient) -> None:
    text = "﻿artist;album\nThe Beatles;Abbey Road\nMiles Davis;Kind of Blue\nThe Beatles;Abbey Road\n"
    answer = await api.post("/ml/ingest/list", content=text.encode(), headers={"content-type": "text/csv"})
    assert answer.json() == {"albums": [["Abbey Road", "The Beatles"], ["Kind of Blue", "Miles Davis"]], "repeated": 1}
    planned = await api.post("/ml/ingest/plan", json={"albums": answer.json()["albums"]})
    assert (planned.status_code, planned.json()["new"]) == (200, 2)
    assert (await api.get("/ml/jobs")).json()["data"] == []
    assert (await api.get("/")).json()["data"]["albums"] == 0


@pytest.mark.parametrize(
    ("content", "said"), [(b"Abbey Road", "line 1 has no artist"), (b"\xff\xfe", "not UTF-8"), (b"", "holds no album")]
)
async def test_a_list_that_cannot_be_read_is_refused_whole(api: httpx.AsyncClient, content: bytes, said: str) -> None:
    answer = await api.post("/ml/ingest/list", content=content, headers={"content-type": "text/csv"})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_a_jobs_albums_are_listed_by_how_they_ended(open_api: Open) -> None:
    async with open_api(worker=True) as api:
        unknown = [[f"No album {n}", "Nobody"] for n in range(3)]
        job_id = await submitted(api, [*ALBUMS, *unknown])
        await finished(api, job_id)
        where = f"/ml/jobs/{job_id}?result=not_found"
        first = (await api.get(f"{where}&limit=2")).json()
        assert [item["album"] for item in first["items"]] == ["No album 0", "No album 1"]
        rest = (await api.get(f"{where}&offset={first['next_offset']}")).json()
        assert ([item["album"] for item in rest["items"]], rest["next_offset"]) == (["No album 2"], None)
        both = (await api.get(f"{where}&result=complete&result=partial")).json()
        assert len(both["items"]) == 6
        assert (await api.get(f"/ml/jobs/{job_id}?result=lost")).status_code == 422
