"""Every endpoint from outside, on a real database, with the demo as source."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fixtures.api import ALBUMS, Open

ABBEY_ROAD = {"album_name": "Abbey Road", "artist_name": "The Beatles"}


async def get(api: httpx.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await api.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return orjson.loads(answer.content)


async def test_health_summarises_the_data(filled: httpx.AsyncClient) -> None:
    health = await get(filled, "/")
    assert health["status"] == "ok"
    assert health["data"]["albums"] == 3
    assert health["data"]["tracks"] > 30
    assert {s["name"] for s in health["sources"]} >= {"spotify", "lastfm", "aoty", "demo", "synthetic"}


async def test_an_ingested_album_is_answered_with_tracks_and_outcomes(api: httpx.AsyncClient) -> None:
    answer = await api.post("/ml/ingest/album", json=ABBEY_ROAD)
    assert answer.status_code == 200
    body = answer.json()
    assert body["result"] in {"complete", "partial"}
    assert body["tracks"][0]["title"] == "Come Together"
    assert [t["track_number"] for t in body["tracks"]] == list(range(1, len(body["tracks"]) + 1))
    outcomes = {s["source"]: s["outcome"] for s in body["sources"]}
    assert outcomes["demo"] == "ok"
    assert outcomes["spotify"] == "unconfigured"


async def test_asking_again_and_twice_at_once_gives_one_album(api: httpx.AsyncClient) -> None:
    spellings = [("Abbey Road", "The Beatles"), ("abbey road", "beatles"), ("  Abbey   Road ", "The  Beatles")]
    answers = await asyncio.gather(
        *(api.post("/ml/ingest/album", json={"album_name": a, "artist_name": b}) for a, b in spellings * 2)
    )
    assert len({a.json()["album_id"] for a in answers}) == 1
    assert len({len(a.json()["tracks"]) for a in answers}) == 1
    assert (await get(api, "/albums"))["count"] == 1


async def test_an_unknown_album_is_404_with_outcomes(api: httpx.AsyncClient) -> None:
    answer = await api.post("/ml/ingest/album", json={"album_name": "Nobody Made This", "artist_name": "Nobody"})
    assert answer.status_code == 404
    assert {s["source"]: s["outcome"] for s in answer.json()["sources"]}["demo"] == "not_found"


async def test_without_any_source_it_is_502_and_says_why(open_api: Open) -> None:
    async with open_api(TENSOE_DEMO="off") as api:
        answer = await api.post("/ml/ingest/album", json=ABBEY_ROAD)
    assert answer.status_code == 502
    assert {s["outcome"] for s in answer.json()["sources"]} == {"unconfigured"}


async def test_a_batch_is_followed_to_its_end(open_api: Open) -> None:
    pairs = [*map(list, ALBUMS), {"album_name": "Nobody Made This", "artist_name": "Nobody"}]
    async with open_api(worker=True) as api:
        answer = await api.post("/ml/ingest/batch", json={"albums": pairs})
        assert answer.status_code == 202
        where = answer.headers["location"]
        assert where == answer.json()["status_url"]
        job = await get(api, where)
        while job["finished_at"] is None:
            await asyncio.sleep(0.05)
            job = await get(api, where)
        assert job["total"] == 4
        assert job["counts"]["not_found"] == 1
        assert [i["album"] for i in job["items"]] == ["Abbey Road", "Kind of Blue", "OK Computer", "Nobody Made This"]
        page = await get(api, where, limit=2)
        assert [i["position"] for i in page["items"]] == [1, 2]
        rest = await get(api, where, limit=2, offset=page["next_offset"])
        assert [i["position"] for i in rest["items"]] == [3, 4]
        assert rest["next_offset"] is None
        assert [j["id"] for j in (await get(api, "/ml/jobs"))["data"]] == [job["id"]]
        assert (await get(api, "/albums"))["count"] == 3


async def test_albums_are_listed_searched_and_paged(filled: httpx.AsyncClient) -> None:
    everything = await get(filled, "/albums")
    assert {a["title"] for a in everything["data"]} == {"Abbey Road", "Kind of Blue", "OK Computer"}
    assert [a["title"] for a in (await get(filled, "/albums", q="computer"))["data"]] == ["OK Computer"]
    assert [a["title"] for a in (await get(filled, "/albums", artist="beatles"))["data"]] == ["Abbey Road"]
    assert [a["title"] for a in (await get(filled, "/albums", year_to=1960))["data"]] == ["Kind of Blue"]
    seen, path = [], "/albums?limit=1"
    for _ in range(3):
        answer = await filled.get(path)
        seen.append(answer.json()["data"][0]["id"])
        link = answer.headers.get("link")
        if link is None:
            break
        found = re.fullmatch(r'<([^>]+)>; rel="next"', link)
        assert found
        path = found[1]
    assert seen == [a["id"] for a in everything["data"]]


async def test_an_album_has_tracks_scores_and_origins(filled: httpx.AsyncClient) -> None:
    (summary,) = (await get(filled, "/albums", q="abbey road"))["data"]
    album = await get(filled, f"/albums/{summary['id']}")
    assert album["tracks"][0]["title"] == "Come Together"
    assert album["release_date"] == "1969-09-26"
    assert album["synthetic"] is True
    assert album["tracks"][0]["provenance"]["title"] == "demo"
    assert album["tracks"][0]["provenance"]["energy"] == "synthetic"


async def test_training_data_in_every_form(filled: httpx.AsyncClient) -> None:
    page = await get(filled, "/ml/training-data", limit=1000)
    ids = [row["id"] for row in page["data"]]
    assert page["count"] == len(ids) == len(set(ids)) > 30
    assert page["synthetic"] is True
    assert page["data"][0]["audio_features"].keys() >= {"energy", "valence", "tempo"}
    forms = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
    for form, media in forms.items():
        for answer in (
            await filled.get("/ml/training-data", params={"format": form, "limit": 1000}),
            await filled.get("/ml/training-data", params={"limit": 1000}, headers={"accept": media}),
        ):
            assert answer.headers["content-type"].startswith(media)
            rows = (
                [orjson.loads(line) for line in answer.text.splitlines()]
                if form == "ndjson"
                else list(csv.DictReader(io.StringIO(answer.text)))
            )
            assert [row["id"] for row in rows] == ids
    arrow = await filled.get("/ml/training-data", params={"format": "arrow", "limit": 1000})
    assert pa.ipc.open_stream(arrow.content).read_all().column("id").to_pylist() == ids
    parquet = await filled.get("/ml/training-data", params={"format": "parquet", "limit": 1000})
    assert pq.read_table(io.BytesIO(parquet.content)).column("id").to_pylist() == ids


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "arrow", "parquet"])
async def test_pages_are_stable_while_rows_are_added(filled: httpx.AsyncClient, form: str) -> None:
    before = [row["id"] for row in (await get(filled, "/ml/training-data", limit=1000))["data"]]
    seen: list[str] = []
    path: str | None = f"/ml/training-data?limit=7&format={form}"
    while path is not None:
        answer = await filled.get(path)
        assert answer.status_code == 200
        seen += _ids(form, answer)
        if len(seen) == 7:
            await filled.post(
                "/ml/ingest/album", json={"album_name": "To Pimp a Butterfly", "artist_name": "Kendrick Lamar"}
            )
        found = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        path = found[1] if found else None
    assert len(seen) == len(set(seen)), "no row comes twice"
    assert set(before) <= set(seen), "no row is left out"


def _ids(form: str, answer: httpx.Response) -> list[str]:
    if form == "json":
        return [row["id"] for row in answer.json()["data"]]
    if form == "ndjson":
        return [orjson.loads(line)["id"] for line in answer.text.splitlines()]
    if form == "csv":
        return [row["id"] for row in csv.DictReader(io.StringIO(answer.text))]
    if form == "arrow":
        return list(pa.ipc.open_stream(answer.content).read_all().column("id").to_pylist())
    return list(pq.read_table(io.BytesIO(answer.content)).column("id").to_pylist())


async def test_limits_are_those_of_the_settings(open_api: Open) -> None:
    async with open_api(ML_TRAINING_DATA_LIMIT="5", ML_FEATURE_MATRIX_LIMIT="6") as api:
        await api.post("/ml/ingest/album", json=ABBEY_ROAD)
        assert (await get(api, "/ml/training-data"))["count"] == 5
        assert (await api.get("/ml/training-data", params={"limit": 6})).status_code == 422
        assert (await get(api, "/ml/feature-matrix"))["n_tracks"] == 6
        assert (await api.get("/ml/feature-matrix", params={"limit": 7})).status_code == 422
        paths = (await get(api, "/openapi.json"))["paths"]
        (limit,) = [p for p in paths["/ml/training-data"]["get"]["parameters"] if p["name"] == "limit"]
        assert limit["schema"]["maximum"] == 5, "what is described is what is enforced"


async def test_filters_are_where_people_expect_them(filled: httpx.AsyncClient) -> None:
    rows = (await get(filled, "/ml/training-data", limit=1000))["data"]

    async def ids(**parameters: Any) -> set[str]:
        return {row["id"] for row in (await get(filled, "/ml/training-data", limit=1000, **parameters))["data"]}

    genre = next(g for row in rows for g in row["genres"] or ())
    assert await ids(genre=genre) == {row["id"] for row in rows if genre in (row["genres"] or ())} != set()
    assert await ids(genre=genre.upper()) == await ids(genre=genre)
    assert await ids(genre="no such genre") == set()
    assert await ids(genre=[genre, "no such genre"]) == await ids(genre=genre)
    assert await ids(artist="miles davis") == {row["id"] for row in rows if row["artist"] == "Miles Davis"} != set()
    assert await ids(year_from=1990) == {row["id"] for row in rows if row["release_date"] >= "1990"} != set()
    assert await ids(year_to=1960) == {row["id"] for row in rows if row["release_date"] < "1961"} != set()
    assert await ids(min_popularity=50) == {row["id"] for row in rows if (row["popularity"] or 0) >= 50}
    assert await ids(max_popularity=50) == {
        r["id"] for r in rows if r["popularity"] is not None and r["popularity"] <= 50
    }
    fast = {row["id"] for row in rows if row["audio_features"]["tempo"] >= 120}
    assert await ids(tempo_from=120) == fast != set()
    assert await ids(tempo_from=120, tempo_to=110 + 10) <= fast
    assert await ids(explicit="false") == {row["id"] for row in rows if row["explicit"] is False}
    assert await ids(seen=[rows[0]["id"], rows[5]["id"]]) == {row["id"] for row in rows} - {
        rows[0]["id"],
        rows[5]["id"],
    }
    assert await ids(q="come together") == {row["id"] for row in rows if row["title"] == "Come Together"}
    assert await ids(synthetic="false") == set()


async def test_the_matrix_hides_its_target(filled: httpx.AsyncClient) -> None:
    for target in ("aoty_score", "popularity"):
        answer = await filled.get("/ml/feature-matrix", params={"target": target, "format": "arrow"})
        assert answer.status_code == 200, answer.text
        table = pa.ipc.open_stream(answer.content).read_all()
        assert table.num_rows > 30
        first, *features, last = table.column_names
        assert (first, last) == ("id", target)
        assert not [name for name in features if name.startswith(target)]
        assert len(features) > 15
    assert (await filled.get("/ml/feature-matrix", params={"target": "no such thing"})).status_code == 422
    body = await get(filled, "/ml/feature-matrix", limit=5)
    assert body["target"] == "aoty_score"


async def test_insights(filled: httpx.AsyncClient) -> None:
    genres = (await get(filled, "/ml/genres", limit=3))["data"]
    assert len(genres) == 3
    assert genres == sorted(genres, key=lambda g: -g["tracks"])
    assert (await get(filled, "/ml/moods"))["data"]
    assert (await get(filled, "/ml/analytics"))["coverage"]
    assert {s["source"] for s in (await get(filled, "/ml/stats"))["sources"]} >= {"demo"}


async def test_exports_are_written_listed_and_downloaded(filled: httpx.AsyncClient) -> None:
    for kind in ("training-data", "feature-matrix"):
        for suffix in ("csv", "parquet", "arrow", "jsonl"):
            name = f"{kind}.{suffix}"
            answer = await filled.post(f"/ml/export/{kind}", params={"filename": name, "limit": 20})
            assert answer.status_code in {200, 201}, answer.text
            export = answer.json()
            assert export["name"] == name
            assert export["rows"] == 20
            download = await filled.get(export["download"])
            assert len(download.content) == export["bytes"]
            assert "attachment" in download.headers["content-disposition"]
    names = {e["name"] for e in (await get(filled, "/ml/exports"))["data"]}
    assert len(names) == 8


async def test_recommendations_come_with_reasons(filled: httpx.AsyncClient) -> None:
    track = (await get(filled, "/ml/training-data", q="so what"))["data"][0]
    found = await get(filled, f"/ml/recommendations/{track['id']}", k=5)
    assert len(found["data"]) == 5
    assert all(r["reasons"] for r in found["data"])
    assert track["id"] not in {r["id"] for r in found["data"]}


async def test_metrics_for_people_and_for_prometheus(filled: httpx.AsyncClient) -> None:
    shown = (await get(filled, "/metrics"))["metrics"]
    assert sum(v["value"] for v in shown["tensoe_albums_ingested"]["values"]) == 3
    prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
    answer = await filled.get("/metrics", headers={"accept": prometheus})
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'tensoe_http_requests_total{method="POST",route="/ml/ingest/album",status="200"} 3.0' in answer.text


async def test_the_system_is_diagnosed(filled: httpx.AsyncClient) -> None:
    system = await get(filled, "/system")
    assert system["database"]["reachable"] is True
    assert int(system["database"]["version"].split(".")[0]) >= 14
    assert system["cache"]["kind"] == "memory"
    assert system["sizes"]
    assert system["versions"]["python"].startswith("3.")


async def test_docs_need_no_other_server(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
        assert (await api.get(path)).status_code == 200
    assert "<script>" not in page.text


async def test_the_description_is_one_to_work_from(api: httpx.AsyncClient) -> None:
    document = await get(api, "/openapi.json")
    promised = {
        "/", "/system", "/metrics", "/ml/ingest/album", "/ml/ingest/batch", "/ml/jobs", "/ml/jobs/{job_id}",
        "/ml/training-data", "/ml/feature-matrix", "/ml/analytics", "/ml/genres", "/ml/moods", "/ml/stats",
        "/ml/export/training-data", "/ml/export/feature-matrix", "/ml/exports", "/ml/exports/{name}",
        "/ml/recommendations/{track_id}", "/albums", "/albums/{album_id}", "/users/{name}", "/albums/{album_id}/provenance",
        "/albums/{album_id}/similar", "/albums/{album_id}/refresh", "/albums/unmatched", "/artists", "/artists/{artist_id}",
        "/artists/{artist_id}/albums", "/artists/{artist_id}/similar", "/tracks/{track_id}", "/tracks/{track_id}/provenance",
        "/recordings/{recording_id}", "/ml/rights", "/ml/genres/tree", "/ml/import/aoty", "/ml/discover", "/ml/path",
        "/ml/playlists/continue", "/ml/overlooked",
    }  # fmt: skip
    assert promised <= document["paths"].keys()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            status, good = next((s, r) for s, r in operation["responses"].items() if s.startswith("2"))
            assert status == "204" or any("schema" in c for c in good["content"].values()), path
            assert "application/problem+json" in operation["responses"]["422"]["content"], path


async def test_users_without_a_key_are_told_so(api: httpx.AsyncClient) -> None:
    for path in ("/users/rj", "/users/rj/top/artists", "/users/rj/profile"):
        answer = await api.get(path)
        assert answer.status_code == 503
        assert "LASTFM_API_KEY" in answer.json()["detail"]
