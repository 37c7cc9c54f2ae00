"""What people explore with, over HTTP: search, genres on the whole, selections, lists of tracks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.acceptance.test_api_endpoints import get


async def test_one_search_finds_tracks_albums_and_artists(filled: httpx.AsyncClient) -> None:
    found = await get(filled, "/search", q="abey road")
    assert found["albums"][0]["title"] == "Abbey Road"
    assert (await get(filled, f"/artists/{found['albums'][0]['artist_id']}"))["name"] == "The Beatles"
    found = await get(filled, "/search", q="miles davis", limit=3)
    assert found["artists"][0]["name"] == "Miles Davis"
    assert {album["artist"] for album in found["albums"]} == {"Miles Davis"}
    found = await get(filled, "/search", q="so what miles")
    track = await get(filled, f"/tracks/{found['tracks'][0]['id']}")
    assert track["title"] == "So What"
    assert found["tracks"][0]["synthetic"] is True
    nothing = await get(filled, "/search", q="zzzzzzzz")
    assert nothing["tracks"] == nothing["albums"] == nothing["artists"] == []


async def test_a_search_sees_what_was_stored_after_it(api: httpx.AsyncClient) -> None:
    assert (await get(api, "/search", q="kind of blue"))["albums"] == []
    answer = await api.post("/ml/ingest/album", json={"album_name": "Kind of Blue", "artist_name": "Miles Davis"})
    assert answer.status_code == 200
    assert (await get(api, "/search", q="kind of blue"))["albums"][0]["title"] == "Kind of Blue"


@pytest.mark.parametrize("wrong", [{}, {"q": ""}, {"q": "x" * 501}, {"q": "a\x00"}, {"q": "a", "limit": 101}])
async def test_a_search_for_nothing_or_too_much_is_refused(api: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    answer = await api.get("/search", params=wrong)
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_a_genre_on_the_whole_is_the_mean_of_its_tracks(filled: httpx.AsyncClient) -> None:
    rows = (await get(filled, "/ml/training-data", genre="rock"))["data"]
    genre = await get(filled, "/ml/genres/ROCK")
    assert genre["tracks"] == len(rows)
    known = [row["audio_features"]["energy"] for row in rows if "energy" in (row["audio_features"] or {})]
    assert genre["audio_features"]["energy"]["known"] == len(known)
    assert genre["audio_features"]["energy"]["mean"] == pytest.approx(sum(known) / len(known), abs=1e-5)
    assert (await get(filled, "/ml/genres/no such genre"))["tracks"] == 0


async def test_a_selection_is_what_the_same_filters_give_as_rows(filled: httpx.AsyncClient) -> None:
    wanted = {"genre": "rock", "min_critic_score": 60, "max_user_score": 99.5}
    rows = (await get(filled, "/ml/training-data", limit=1000, **wanted))["data"]
    found = await get(filled, "/ml/analytics/facets", feature="tempo", **wanted)
    assert found["fitting"]["tracks"] == len(rows) > 0
    assert all(row["aoty_critic_score"] >= 60 and row["aoty_score"] <= 99.5 for row in rows)
    assert found["sound"]["feature"] == "tempo"
    assert {y["year"]: y["tracks"] for y in found["years"]} == {
        year: sum(row["release_year"] == year for row in rows) for year in {row["release_year"] for row in rows}
    }
    again = await get(filled, "/ml/analytics/facets", feature="tempo", **wanted)
    assert again == found
    assert (await filled.get("/ml/analytics/facets", params={"feature": "key"})).status_code == 422


async def test_a_list_of_tracks_is_read_back_and_written_as_a_playlist(filled: httpx.AsyncClient) -> None:
    rows = (await get(filled, "/ml/training-data", limit=3))["data"]
    ids = [row["id"] for row in reversed(rows)]
    found = await get(filled, "/ml/playlist", track=[*ids, "gone", ids[0]])
    assert [row["id"] for row in found["data"]] == ids
    assert found["missing"] == ["gone"]
    answer = await filled.get("/ml/playlist", params={"track": ids, "format": "m3u", "title": "Evening"})
    assert answer.headers["content-disposition"] == 'attachment; filename="playlist.m3u8"'
    assert "#PLAYLIST:Evening" in answer.text
    said = [line for line in answer.text.splitlines() if line.startswith("#EXTINF")]
    assert [line.split(" - ", 1)[1] for line in said] == [row["title"] for row in reversed(rows)]
    answer = await filled.get("/ml/playlist", params={"track": "gone"})
    assert answer.status_code == 404
    assert (await filled.get("/ml/playlist")).status_code == 422


async def test_similar_artists_are_named_by_the_ids_that_their_pages_have(filled: httpx.AsyncClient) -> None:
    artist = (await get(filled, "/artists", q="radiohead"))["data"][0]
    similar = (await get(filled, f"/artists/{artist['id']}/similar"))["data"]
    assert similar
    for row in similar:
        assert (await get(filled, f"/artists/{row['artist_id']}"))["name"] == row["artist"]
