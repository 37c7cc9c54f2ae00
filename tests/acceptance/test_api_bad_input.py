"""Bad input: each gets a 4xx problem with a sentence, and nothing is stored."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from backend.repositories.database import Database

LONG = "x" * 10_000
TRICKS = [
    "'; DROP TABLE enhanced_tracks; --",
    "../../etc/passwd",
    "%00",
    "\u202egnp.exe",
    "🎵🎶",
    "عبد الحليم حافظ",
    "<script>",
]


def assert_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in (statuses or range(400, 500)), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = orjson.loads(answer.content)  # strict: no NaN, no lone surrogate
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    return problem


async def count_rows(database: Database) -> int:
    async with database.connection() as connection:
        counts = [
            await connection.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("albums", "enhanced_tracks", "ingest_jobs", "ingest_items", "source_records")
        ]
    return sum(counts)


ALBUM_BODIES: dict[str, Any] = {
    "empty album": {"album_name": "", "artist_name": "The Beatles"},
    "blank artist": {"album_name": "Abbey Road", "artist_name": " \t\n\u3000 "},
    "control characters alone": {"album_name": "\x00\x01\x02", "artist_name": "x"},
    "long album": {"album_name": LONG, "artist_name": "The Beatles"},
    "long artist": {"album_name": "Abbey Road", "artist_name": LONG},
    "number": {"album_name": 1969, "artist_name": "The Beatles"},
    "null": {"album_name": None, "artist_name": "The Beatles"},
    "list": {"album_name": ["Abbey Road"], "artist_name": "The Beatles"},
    "object": {"album_name": {"a": 1}, "artist_name": "The Beatles"},
    "missing artist": {"album_name": "Abbey Road"},
    "missing both": {},
    "a pair instead": ["Abbey Road", "The Beatles"],
    "a word instead": "Abbey Road",
    "an address that is none": {"album_name": "a", "artist_name": "b", "aoty_url": "file:///etc/passwd"},
    "an address with blanks": {"album_name": "a", "artist_name": "b", "aoty_url": "https://x y"},
}


@pytest.mark.parametrize("name", ALBUM_BODIES)
async def test_an_album_that_cannot_be_asked_for(api: httpx.AsyncClient, database: Database, name: str) -> None:
    assert_problem(await api.post("/ml/ingest/album", json=ALBUM_BODIES[name]), 422)
    assert await count_rows(database) == 0


RAW_BODIES = [
    b"",
    b"{",
    b'{"album_name": "Abbey Road", "artist_name": ',
    b'{"album_name": NaN, "artist_name": Infinity}',
    b'{"album_name": "\\ud83c", "artist_name": "x"}',
    b'{"album_name": "\xff\xfe", "artist_name": "x"}',
    b"\x00" * 100,
    b"[" * 50_000,
]


@pytest.mark.parametrize("path", ["/ml/ingest/album", "/ml/ingest/batch"])
@pytest.mark.parametrize("body", RAW_BODIES, ids=lambda body: repr(body[:24]))
async def test_bodies_that_are_no_json(api: httpx.AsyncClient, database: Database, path: str, body: bytes) -> None:
    assert_problem(await api.post(path, content=body, headers={"content-type": "application/json"}), 400, 422)
    assert await count_rows(database) == 0


@pytest.mark.parametrize("name", TRICKS)
async def test_names_with_tricks_are_names(api: httpx.AsyncClient, database: Database, name: str) -> None:
    problem = assert_problem(await api.post("/ml/ingest/album", json={"album_name": name, "artist_name": name}), 404)
    assert {s["outcome"] for s in problem["sources"]} <= {"not_found", "unconfigured"}
    assert await count_rows(database) in {0, 1, 2}  # that it was asked for may be noted, an album is not
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM albums") == 0


BATCHES: dict[str, Any] = {
    "empty": {"albums": []},
    "no list": {"albums": "Abbey Road"},
    "missing": {},
    "one name": {"albums": [["Abbey Road"]]},
    "three names": {"albums": [["a", "b", "c"]]},
    "numbers": {"albums": [[1, 2]]},
    "an empty name at the end": {"albums": [["Abbey Road", "The Beatles"], ["", "The Beatles"]]},
    "a long name": {"albums": [["Abbey Road", LONG]]},
    "null": {"albums": [None]},
    "too many": {"albums": [["a", "b"]] * 12},
}


@pytest.mark.parametrize("name", BATCHES)
async def test_a_list_that_cannot_be_taken(open_api: Any, database: Database, name: str) -> None:
    async with open_api(MAX_BATCH_ALBUMS="11") as api:
        assert_problem(await api.post("/ml/ingest/batch", json=BATCHES[name]), 422)
    assert await count_rows(database) == 0


LIMITED = ["/ml/training-data", "/ml/feature-matrix", "/ml/genres", "/ml/moods", "/albums", "/ml/jobs"]
LIMITS = ["NaN", "Infinity", "-Infinity", "-1", "0", "1e3", "1.5", "99999999999999999999", "ten", "", "0x10", "١٠", " "]


@pytest.mark.parametrize("limit", LIMITS)
async def test_limits_that_are_none(api: httpx.AsyncClient, limit: str) -> None:
    for path in LIMITED:
        if limit == "١٠" and (await api.get(path, params={"limit": limit})).status_code == 200:
            continue  # other scripts' digits are digits
        assert_problem(await api.get(path, params={"limit": limit}), 422)
    for path in ("/ml/export/training-data", "/ml/export/feature-matrix"):
        answer = await api.post(path, params={"limit": limit, "filename": "x.csv"})
        if limit != "١٠":
            assert_problem(answer, 422)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("year_from", "soon"), ("year_to", "99999999999"), ("min_popularity", "-1"), ("min_popularity", "101"),
        ("max_popularity", "101"), ("tempo_from", "nan"), ("tempo_to", "-1"), ("tempo_to", "inf"), ("explicit", "a bit"),
        ("min_user_score", "nan"), ("max_critic_score", "101"),
        ("seen", LONG), ("seen", "\x00"), ("seen_by", "../me"), ("seen_by", LONG),
        ("format", "exe"), ("format", "arrow_file"),
        ("cursor", "not-a-cursor"), ("cursor", "\x00"), ("q", LONG), ("q", "a\x00b"), ("genre", "\x00"),
        ("artist", LONG), ("synthetic", "perhaps"),
    ],
)  # fmt: skip
async def test_filters_that_are_none(api: httpx.AsyncClient, parameter: str, value: str) -> None:
    assert_problem(await api.get("/ml/training-data", params={parameter: value}), 422)


@pytest.mark.parametrize(
    "bounds",
    [
        {"year_from": 1980, "year_to": 1979}, {"tempo_from": 120, "tempo_to": 119.5},
        {"min_popularity": 2, "max_popularity": 1}, {"min_user_score": 80.5, "max_user_score": 80},
        {"min_critic_score": 2, "max_critic_score": 1},
    ],
)  # fmt: skip
async def test_bounds_that_exclude_each_other(api: httpx.AsyncClient, bounds: dict[str, float]) -> None:
    problem = assert_problem(await api.get("/ml/training-data", params=bounds), 422)
    for name, value in bounds.items():
        assert f"{name}={value:g}" in problem["detail"]


async def test_a_history_that_is_not_there_is_said_to_be_missing(api: httpx.AsyncClient) -> None:
    problem = assert_problem(await api.get("/ml/training-data", params={"seen_by": "nobody"}), 422)
    assert "nobody" in problem["detail"]


@pytest.mark.parametrize("trick", TRICKS)
async def test_filters_with_tricks_find_nothing(filled: httpx.AsyncClient, trick: str) -> None:
    for parameter in ("genre", "mood", "artist", "q"):
        answer = await filled.get("/ml/training-data", params={parameter: trick})
        assert answer.status_code == 200
        assert answer.json()["data"] == []
    assert (await filled.get("/albums")).json()["count"] == 3


FILENAMES = [
    "../x.csv", "..\\x.csv", "/etc/x.csv", "a/b.csv", "x", "x.exe", ".csv", "..", "", "x.csv\x00.exe", "CON.csv\n",
    "x" * 300 + ".csv", "~/x.csv", "x.csv.exe", "C:\\x.csv",
]  # fmt: skip


@pytest.mark.parametrize("filename", FILENAMES)
async def test_file_names_that_are_none(filled: httpx.AsyncClient, filename: str) -> None:
    assert_problem(await filled.post("/ml/export/training-data", params={"filename": filename}), 422)
    assert (await filled.get("/ml/exports")).json()["data"] == []


UNKNOWN = [
    "0",
    "nobody",
    "00000000-0000-0000-0000-000000000000",
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "🎵",
    "'--",
    "x" * 5_000,
]


@pytest.mark.parametrize("path", ["/ml/recommendations/", "/albums/", "/ml/jobs/", "/ml/exports/"])
@pytest.mark.parametrize("name", UNKNOWN)
async def test_unknown_names(api: httpx.AsyncClient, path: str, name: str) -> None:
    assert_problem(await api.get(path + name), 404, 422)


async def test_paths_and_methods_that_are_none(api: httpx.AsyncClient) -> None:
    assert_problem(await api.get("/nothing"), 404)
    assert_problem(await api.get("/static/../main.py"), 404)
    assert_problem(await api.get("/static/%2e%2e/%2e%2e/main.py"), 404)
    assert_problem(await api.get("/ml/ingest/album"), 405)
    assert_problem(await api.delete("/"), 405)
    assert_problem(await api.request("BREW", "/"), 405)


async def test_a_body_beyond_the_bound(open_api: Any, database: Database) -> None:
    async with open_api(MAX_BODY_BYTES="1000") as api:
        assert_problem(await api.post("/ml/ingest/batch", json={"albums": [["a", "b"]] * 500}), 413)
    assert await count_rows(database) == 0
