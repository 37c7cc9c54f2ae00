"""Listeners from outside, with a small Last.fm on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.acceptance.test_api_bad_input import assert_problem
from tests.fakes.lastfm import KEY, FakeLastfm
from tests.fakes.music import ARTIST, HARBOUR
from tests.fakes.server import fault
from tests.fixtures.api import Open


@pytest.fixture
def lastfm() -> FakeLastfm:
    return FakeLastfm()


@pytest.fixture
async def listening(open_api: Open, lastfm: FakeLastfm) -> AsyncIterator[httpx.AsyncClient]:
    async with lastfm.running() as base, open_api(TENSOE_DEMO="off", **lastfm.environment(base)) as api:
        yield api


async def test_what_a_listener_plays_most(listening: httpx.AsyncClient) -> None:
    body = (await listening.get("/users/ada")).json()
    assert [(a["name"], a["plays"]) for a in body["artists"]] == [(ARTIST, 90), ("Nobody Else", 7)]
    assert [(a["name"], a["artist"]) for a in body["albums"]] == [("Paper Harbour", ARTIST)]
    assert body["tracks"] == []
    longer = (await listening.get("/users/ada/top/artists", params={"limit": 1, "period": "7day"})).json()
    assert (longer["kind"], longer["period"], longer["count"]) == ("artists", "7day", 1)


async def test_the_profile_rests_on_what_the_catalogue_knows(listening: httpx.AsyncClient) -> None:
    empty = (await listening.get("/users/ada/profile")).json()
    assert (empty["artists_played"], empty["artists_known"], empty["plays_known_share"], empty["genres"]) == (
        2,
        0,
        0,
        [],
    )
    album = {"album_name": HARBOUR.title, "artist_name": ARTIST}
    assert (await listening.post("/ml/ingest/album", json=album)).status_code == 200
    known = (await listening.get("/users/ada/profile")).json()
    assert known["artists_known"] == 1
    assert known["plays_known_share"] == round(90 / 97, 4)
    assert known["tracks_known"] == len(HARBOUR.songs)
    assert "folk" in {g["name"] for g in known["genres"]}
    assert all(0 < g["share"] <= 1 for g in known["genres"])


async def test_answers_are_kept_for_a_while(listening: httpx.AsyncClient, lastfm: FakeLastfm) -> None:
    for _ in range(3):
        assert (await listening.get("/users/ada/top/artists")).status_code == 200
    assert lastfm.methods() == ["user.getTopArtists"]


async def test_what_keeps_a_listener_away_is_told(listening: httpx.AsyncClient, lastfm: FakeLastfm) -> None:
    assert_problem(await listening.get("/users/nobody"), 404)
    assert_problem(await listening.get("/users/hermit"), 502)
    lastfm.answer = fault(503)
    broken = assert_problem(await listening.get("/users/ada"), 502)
    assert KEY not in str(broken)


@pytest.mark.parametrize("name", ["a b", "x" * 65, "%00", "🎵", "..%2f", "a'--"])
async def test_names_that_are_none(listening: httpx.AsyncClient, lastfm: FakeLastfm, name: str) -> None:
    assert_problem(await listening.get(f"/users/{name}"), 404, 422)
    assert lastfm.asked == []


@pytest.mark.parametrize("query", ["limit=0", "limit=NaN", "limit=201", "period=yesterday"])
async def test_parameters_that_are_none(listening: httpx.AsyncClient, query: str) -> None:
    assert_problem(await listening.get(f"/users/ada/top/albums?{query}"), 422)
