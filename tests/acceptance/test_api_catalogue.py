"""Albums, artists, tracks and recordings over HTTP: search, provenance, similar ones, refresh, removal, reports of rights."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from tests.integration.repositories.albums import album as stored
from tests.levels import whole


async def get(api: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def album(api: httpx.AsyncClient, q: str = "Abbey Road") -> dict[str, Any]:
    found: dict[str, Any] = (await get(api, "/albums", q=q))["data"][0]
    return found


@pytest.mark.parametrize(
    "q", ["Abbey Road", "abbey", "Abey Raod", "abbey rode", "beatles", "the beatels", "beatles abbey road"]
)
async def test_an_album_is_found_by_what_people_type(filled: httpx.AsyncClient, q: str) -> None:
    assert (await album(filled, q))["title"] == "Abbey Road"


async def test_what_is_nothing_like_it_is_not_found(filled: httpx.AsyncClient) -> None:
    assert (await get(filled, "/albums", q="Quintessence of Nothing"))["data"] == []


async def test_a_search_is_paged_without_repeats(filled: httpx.AsyncClient) -> None:
    whole = [a["id"] for a in (await get(filled, "/albums", q="o"))["data"]]
    seen, cursor = [], None
    for _ in range(len(whole) + 1):
        page = await get(filled, "/albums", q="o", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [a["id"] for a in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == whole


async def test_a_listing_goes_on_past_names_of_any_length(api: httpx.AsyncClient, database: Database) -> None:
    names = ["é" * 900 + str(n) for n in range(3)]
    await AlbumRepository(database).save_many([(whole(stored(title=n, artist=n)), []) for n in names])
    for path, name in (("/albums", "title"), ("/artists", "name")):
        found: list[str] = []
        cursor = None
        while not found or cursor is not None:
            page = await get(api, path, limit=1, **({"cursor": cursor} if cursor else {}))
            found += [one[name] for one in page["data"]]
            cursor = page["next_cursor"]
        assert sorted(found) == names
    assert (await get(api, "/search", q="é" * 500))["albums"]


async def test_filters_of_albums(filled: httpx.AsyncClient) -> None:
    assert [a["title"] for a in (await get(filled, "/albums", year_from=1990))["data"]] == ["OK Computer"]
    assert [a["title"] for a in (await get(filled, "/albums", genre="Modal Jazz"))["data"]] == ["Kind of Blue"]
    assert (await get(filled, "/albums", min_user_score=101 - 1))["data"] == []
    answer = await filled.get("/albums", params={"year_from": 2000, "year_to": 1999})
    assert answer.status_code == 422
    assert "no album can fit both" in answer.json()["detail"]


async def test_where_an_albums_and_a_tracks_values_come_from(filled: httpx.AsyncClient) -> None:
    found = await album(filled)
    fields = (await get(filled, f"/albums/{found['id']}/provenance"))["fields"]
    assert (fields["title"]["value"], fields["title"]["source"]) == ("Abbey Road", "demo")
    assert fields["aoty_user_score"]["said"][0]["rights"] == "synthetic"
    whole = await get(filled, f"/albums/{found['id']}")
    track = whole["tracks"][0]
    told = (await get(filled, f"/tracks/{track['id']}/provenance"))["fields"]
    assert told["energy"]["value"] == track["audio_features"]["energy"]
    assert told["energy"]["source"] == track["provenance"]["energy"] == "synthetic"
    free = (await get(filled, f"/tracks/{track['id']}/provenance", rights="open"))["fields"]
    assert (free["energy"]["value"], free["energy"]["said"]) == (None, [])
    assert (await get(filled, f"/tracks/{track['id']}", rights="open"))["audio_features"] in (None, {})
    late = await filled.get(f"/albums/{found['id']}/provenance", params={"at": "1999-01-01T00:00:00Z"})
    assert late.status_code == 404


async def test_similar_albums_and_artists_add_up(filled: httpx.AsyncClient) -> None:
    found = await album(filled)
    for path, own in (
        (f"/albums/{found['id']}/similar", "Abbey Road"),
        (f"/artists/{found['artist_id']}/similar", "The Beatles"),
    ):
        answer = await get(filled, path)
        assert answer["count"] == len(answer["data"]) > 0
        for row in answer["data"]:
            assert own not in (row["album"], row["artist"])
            assert sum(row["contributions"].values()) == pytest.approx(row["score"], abs=1e-5)
            assert row["reasons"]
        scores = [row["score"] for row in answer["data"]]
        assert scores == sorted(scores, reverse=True)


async def test_artists(filled: httpx.AsyncClient) -> None:
    listed = (await get(filled, "/artists"))["data"]
    assert [a["name"] for a in listed] == ["The Beatles", "Miles Davis", "Radiohead"]
    (found,) = (await get(filled, "/artists", q="radiohed"))["data"]
    one = await get(filled, f"/artists/{found['id']}")
    assert (one["name"], one["albums"], one["first_year"]) == ("Radiohead", 1, 1997)
    assert 0 < one["audio_features"]["energy"] < 1
    assert [a["title"] for a in (await get(filled, f"/artists/{found['id']}/albums"))["data"]] == ["OK Computer"]
    assert (await filled.get("/artists/none")).status_code == 404


async def test_a_recording_has_its_appearances(filled: httpx.AsyncClient) -> None:
    track = (await get(filled, f"/albums/{(await album(filled))['id']}"))["tracks"][0]
    found = await get(filled, f"/recordings/{track['recording_id']}")
    assert [t["id"] for t in found["data"]] == [track["id"]]
    assert (await filled.get("/recordings/none")).status_code == 404


async def test_refreshing_asks_again_and_changes_nothing_that_is_the_same(filled: httpx.AsyncClient) -> None:
    found = await album(filled)
    before = await get(filled, f"/albums/{found['id']}")
    answer = await filled.post(f"/albums/{found['id']}/refresh")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["result"], answer.json()["album_id"]) == ("complete", found["id"])
    after = await get(filled, f"/albums/{found['id']}")
    assert {**after, "sources": None} == {**before, "sources": None}
    assert (await filled.post("/albums/none/refresh")).status_code == 404


async def test_a_removed_album_is_gone_everywhere(filled: httpx.AsyncClient) -> None:
    found = await album(filled)
    assert (await filled.delete(f"/albums/{found['id']}")).status_code == 204
    for path in (f"/albums/{found['id']}", f"/albums/{found['id']}/provenance", f"/artists/{found['artist_id']}"):
        assert (await filled.get(path)).status_code == 404, path
    assert (await get(filled, "/albums", q="abbey road"))["data"] == []
    assert (await filled.delete(f"/albums/{found['id']}")).status_code == 404


async def test_a_report_of_rights_counts_what_rows_are_made_of(filled: httpx.AsyncClient) -> None:
    report = await get(filled, "/ml/rights")
    shares = {s["source"]: s for s in report["sources"]}
    assert shares.keys() == {"demo", "synthetic"}
    assert sum(s["cells"] for s in shares.values()) == report["cells"]
    assert sum(s["share"] for s in shares.values()) == pytest.approx(1.0, abs=1e-5)
    free = await get(filled, "/ml/rights", rights="open")
    assert [s["source"] for s in free["sources"]] == ["demo"]
    assert free["rows"] == report["rows"]


async def test_the_tree_of_genres(filled: httpx.AsyncClient) -> None:
    tree = await get(filled, "/ml/genres/tree")
    nodes = {n["name"]: n for n in tree["data"]}
    assert tree["count"] == len(nodes) > 1_000
    assert all(parent in nodes for n in nodes.values() for parent in n["parents"])
    assert "rock" in nodes


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "arrow", "parquet"])
async def test_estimates_can_be_left_out_in_every_form(
    filled: httpx.AsyncClient, database: Database, form: str
) -> None:
    async with database.connection() as connection:
        track_id = await connection.fetchval(
            "UPDATE enhanced_tracks SET estimates = '{\"energy\": [0.1, 0.9]}' "
            "WHERE id = (SELECT min(id) FROM enhanced_tracks) RETURNING id"
        )
    for estimates, known in ((True, True), (False, False)):
        answer = await filled.get("/ml/training-data", params={"format": form, "estimates": estimates, "limit": 3})
        row = _first(answer, form)
        assert row["id"] == track_id
        assert (row["energy"] is not None) is known
        assert row["valence"] is not None
    matrix = await get(filled, "/ml/feature-matrix", target="energy")
    assert track_id not in matrix["ids"]  # what was estimated is no target
    assert track_id in (await get(filled, "/ml/feature-matrix", target="valence"))["ids"]


def _first(answer: httpx.Response, form: str) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    if form == "csv":
        row: dict[str, Any] = next(csv.DictReader(io.StringIO(answer.text)))
        return {name: value or None for name, value in row.items()}
    if form in {"arrow", "parquet"}:
        body = io.BytesIO(answer.content)
        table = pa.ipc.open_stream(body).read_all() if form == "arrow" else pq.read_table(body)
        return dict(table.slice(0, 1).to_pylist()[0])
    rows = answer.json()["data"] if form == "json" else [json.loads(answer.text.splitlines()[0])]
    first: dict[str, Any] = rows[0]
    features = first["audio_features"] or {}
    return first | {name: features.get(name) for name in ("energy", "valence")}


async def test_one_appearance_of_a_recording_on_request(filled: httpx.AsyncClient, database: Database) -> None:
    async with database.connection() as connection:
        early, late = (
            r["id"] for r in await connection.fetch("SELECT id FROM enhanced_tracks ORDER BY release_date, id LIMIT 2")
        )
        await connection.execute("UPDATE enhanced_tracks SET recording_id = $1 WHERE id = $2", early, late)
    ids = {r["id"] for r in (await get(filled, "/ml/training-data"))["data"]}
    once = {r["id"] for r in (await get(filled, "/ml/training-data", one_per_recording=True))["data"]}
    assert ids - once == {late}
    arrow = await filled.get("/ml/training-data", params={"one_per_recording": True, "format": "arrow"})
    assert set(pa.ipc.open_stream(arrow.content).read_all().column("id").to_pylist()) == once
    assert [t["id"] for t in (await get(filled, f"/recordings/{early}"))["data"]] == [early, late]


async def test_an_export_keeps_its_report_of_rights(filled: httpx.AsyncClient) -> None:
    params = {"filename": "rows.parquet", "rights": "open"}
    made = (await filled.post("/ml/export/training-data", params=params)).json()
    assert made["rights"]["rights"] == "open"
    assert await get(filled, "/ml/exports/rows.parquet/rights") == made["rights"]
    assert (await filled.get("/ml/exports/none.csv/rights")).status_code == 404
    assert (await filled.get("/ml/exports/rows.parquet.rights.json")).status_code == 422
