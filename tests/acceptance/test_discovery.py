"""The ways to ask, over HTTP and Python, on a real database."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import orjson
import pytest

from backend.config.settings import Settings
from backend.ingestion import vocabulary
from backend.models.results import TrackFilter
from backend.repositories.database import Database
from backend.routes.application import build_app
from backend.services.discovery import continue_playlist, discover, overlooked, song_path
from backend.services.playlists.writing import XSPF
from backend.startup import open_container
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.acceptance.test_api_bad_input import assert_problem
from tests.fixtures.api import environment
from tests.integration.catalogue import fill

Track = dict[str, Any]


@pytest.fixture
def variables(database: Database, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database.dsn, "TENSOE_HOME": str(tmp_path), "RATE_LIMIT": "off", "TENSOE_DEMO": "off"}


@pytest.fixture
async def many(database: Database, variables: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """The app over a made-up catalogue."""
    await fill(database, albums=60)
    with environment(**variables):
        settings = Settings()
        async with open_container(settings) as container:
            transport = httpx.ASGITransport(build_app(settings, services=container.services), client=("192.0.2.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield client


@pytest.fixture
async def tracks(many: httpx.AsyncClient) -> list[Track]:
    rows: list[Track] = (await many.get("/ml/training-data", params={"limit": 5000})).json()["data"]
    return rows


async def post(client: httpx.AsyncClient, path: str, body: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body, params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def assert_told(answer: dict[str, Any]) -> None:
    """Every pick tells what its score is made of, and why."""
    assert answer["count"] == len(answer["data"]) > 0
    for row in answer["data"]:
        assert sum(row["contributions"].values()) == pytest.approx(row["score"], abs=1e-6)
        assert row["reasons"]
    assert len({row["id"] for row in answer["data"]}) == answer["count"]


def of(tracks: list[Track], answer: dict[str, Any]) -> list[Track]:
    by_id = {track["id"]: track for track in tracks}
    return [by_id[row["id"]] for row in answer["data"]]


def usual(tracks: list[Track], kind: str) -> str:
    """A tag that many tracks have, but not all."""
    counted: dict[str, int] = {}
    for track in tracks:
        for tag in track[kind] or ():
            counted[tag] = counted.get(tag, 0) + 1
    return max((tag for tag, n in counted.items() if n < len(tracks) / 2), key=lambda tag: counted[tag])


async def test_wishes_in_words_are_understood_and_kept_to(many: httpx.AsyncClient, tracks: list[Track]) -> None:
    genre, mood = usual(tracks, "genres"), usual(tracks, "moods")
    wish = f"90–130 bpm, acoustic, {mood}, since 1980, no {genre}, qwertzu"
    answer = await post(many, "/ml/discover", {"wish": wish, "k": 30})
    assert_told(answer)
    assert [u["text"] for u in answer["not_understood"]] == ["qwertzu"]
    assert [(u["text"], u["must"]) for u in answer["understood"]] == [
        ("90-130 bpm", True), ("acoustic", False), (mood, False), ("since 1980", True), (f"not {genre}", True),
    ]  # fmt: skip
    fits = [
        t for t in tracks
        if 90 <= (t["audio_features"] or {}).get("tempo", 0) <= 130 and (t["release_year"] or 0) >= 1980
        and not any(vocabulary.is_a(name, genre) for name in t["genres"] or ())
    ]  # fmt: skip
    assert answer["fitting"] == len(fits)
    assert {t["id"] for t in of(tracks, answer)} <= {t["id"] for t in fits}
    best = of(tracks, answer)[:5]
    mean = sum(t["audio_features"]["acousticness"] for t in best) / 5
    assert mean > sum(t["audio_features"]["acousticness"] for t in fits) / len(fits)


async def test_tracks_albums_and_artists_with_plus_and_minus(many: httpx.AsyncClient, tracks: list[Track]) -> None:
    first, second = tracks[0], next(t for t in tracks if t["artist"] != tracks[0]["artist"])
    likes = {"tracks": first["id"], "albums": first["album_id"], "artists": first["artist"].upper()}
    for kind, like in likes.items():
        body = {
            "like": {kind: [like]},
            "unlike": {"tracks": [second["id"]]},
            "emphasis": {"genres": 2, "popularity": 0},
            "per_artist": 1,
        }
        answer = await post(many, "/ml/discover", body)
        assert_told(answer)
        given = {t["id"] for t in tracks if kind == "albums" and t["album_id"] == first["album_id"]} | {
            first["id"],
            second["id"],
        }
        assert not {row["id"] for row in answer["data"]} & given
        artists = [row["artist"] for row in answer["data"]]
        assert len(set(artists)) == len(artists)
        for row in answer["data"]:
            assert row["contributions"]["popularity"] == 0
            assert row["because"]["artist"] == first["artist"]
    mixed = await post(
        many, "/ml/discover", {"like": {"tracks": [first["id"]]}, "wish": "about 100 bpm", "diversity": 0.5}
    )
    assert_told(mixed)
    assert any(row["contributions"]["wish: 100 bpm"] > 0 for row in mixed["data"])


async def test_filters_never_leak_and_what_empties_the_list_is_named(
    many: httpx.AsyncClient, tracks: list[Track]
) -> None:
    genre = usual(tracks, "genres")
    seen = [t["id"] for t in tracks if genre in (t["genres"] or ())][:3]
    found = await post(many, "/ml/discover", {"wish": "loud"}, genre=genre, tempo_from=80, max_popularity=90, seen=seen)
    assert_told(found)
    for track in of(tracks, found):
        assert genre in track["genres"]
        assert track["audio_features"]["tempo"] >= 80
        assert track["popularity"] <= 90
        assert track["id"] not in seen
    for parameters, body, said in (
        ({"year_from": 2999}, {"wish": "loud"}, "year_from=2999"),
        ({"genre": "no such genre"}, {"wish": "loud"}, "genre=no such genre"),
        ({}, {"wish": "before 1200, loud"}, "before 1200"),
        ({"tempo_from": 100}, {"wish": "under 90 bpm"}, "under 90 bpm"),
    ):
        answer = await many.post("/ml/discover", params=parameters, json=body)
        assert said in assert_problem(answer, 404)["detail"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "Say what is asked for"), ({"wish": "  "}, 422, "Say what is asked for"),
        ({"wish": "melancolic"}, 422, "melancholic"), ({"wish": "x" * 501}, 422, "wish"),
        ({"like": {"tracks": ["nothing"]}}, 404, "nothing"), ({"like": {"albums": ["nothing"]}}, 404, "/albums"),
        ({"like": {"artists": ["Nobody At All"]}}, 404, "Nobody At All"), ({"unlike": {"artists": ["x"]}}, 404, "'x'"),
        ({"wish": "loud", "k": 0}, 422, "k"), ({"wish": "loud", "k": 101}, 422, "k"),
        ({"wish": "loud", "diversity": 2}, 422, "diversity"),
        ({"wish": "loud", "emphasis": {"tunes": 1}}, 422, "emphasis"),
        ({"wish": "loud", "emphasis": {"genres": -1}}, 422, "emphasis"),
        ({"point": {"valence": 2, "arousal": 0}}, 422, "valence"), ({"point": {"valence": 1}}, 422, "arousal"),
        ({"wsh": "loud"}, 422, "wsh"), ({"wish": ["loud"]}, 422, "wish"), ({"wish": "\ud800"}, 422, ""),
    ],
)  # fmt: skip
async def test_questions_that_are_none(many: httpx.AsyncClient, body: dict[str, Any], status: int, said: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await many.post("/ml/discover", content=json.dumps(body), headers=headers)
    assert said in assert_problem(answer, status)["detail"]


async def test_a_point_of_valence_and_arousal(many: httpx.AsyncClient, tracks: list[Track]) -> None:
    answer = await post(many, "/ml/discover", {"point": {"valence": -0.6, "arousal": -0.4}, "k": 10})
    assert_told(answer)
    known = [t for t in of(tracks, answer) if t["mood_valence"] is not None]
    assert known
    middle = [t["mood_valence"] for t in tracks if t["mood_valence"] is not None]
    assert sum(t["mood_valence"] for t in known) / len(known) < sum(middle) / len(middle)


async def test_a_way_from_song_to_song(many: httpx.AsyncClient, tracks: list[Track]) -> None:
    first, last = tracks[0], next(t for t in reversed(tracks) if t["artist"] != tracks[0]["artist"])
    answer = await many.get("/ml/path", params={"start": first["id"], "end": last["id"], "steps": 8})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert_told(found)
    assert [found["data"][0]["id"], found["data"][-1]["id"], found["count"]] == [first["id"], last["id"], 8]
    for before, after in pairwise(found["data"]):
        assert before["artist"] != after["artist"]
        assert after["because"]["id"] == before["id"]
    assert found["smoothness"]["value"] > 0
    assert found["smoothness"]["mean_step"] < found["smoothness"]["by_chance"]
    for start, end, status in ((first["id"], first["id"], 422), (first["id"], "nothing", 404), ("", last["id"], 422)):
        assert_problem(await many.get("/ml/path", params={"start": start, "end": end}), status)


async def test_a_list_goes_on_and_what_is_not_there_is_told(many: httpx.AsyncClient, tracks: list[Track]) -> None:
    given = tracks[:4]
    listed: list[dict[str, str]] = [{"id": given[0]["id"]}]
    listed += [{"artist": t["artist"].upper(), "title": t["title"]} for t in given[1:]]
    answer = await post(
        many,
        "/ml/playlists/continue",
        {"tracks": [*listed, {"artist": "Nobody", "title": "Nothing"}, {"id": "no"}], "k": 12},
    )
    assert_told(answer)
    assert set(answer["matched"]) == {t["id"] for t in given}
    assert [(u["place"], u["name"]) for u in answer["unmatched"]] == [(4, "Nobody – Nothing"), (5, "no")]
    assert not {row["id"] for row in answer["data"]} & set(answer["matched"])
    bodies: tuple[dict[str, Any], ...] = (
        {"tracks": []},
        {"tracks": [{}]},
        {"tracks": [{"artist": "x"}]},
        {"tracks": [{"id": "nothing"}]},
    )
    for body in bodies:
        assert_problem(await many.post("/ml/playlists/continue", json=body), 422)


async def test_what_is_overlooked(many: httpx.AsyncClient, tracks: list[Track], database: Database) -> None:
    async with database.transaction() as connection:
        albums = [r["id"] for r in await connection.fetch("SELECT id FROM albums ORDER BY id LIMIT 2")]
        for album, users, critics, popularity in ((albums[0], 97, 40, 60), (albums[1], 40, 97, 60)):
            await connection.execute(
                "UPDATE albums SET aoty_user_score=$2, aoty_user_count=5000, aoty_critic_score=$3, aoty_critic_count=50, "
                "popularity=$4 WHERE id=$1",
                album, users, critics, popularity,
            )  # fmt: skip
    first: dict[str, str] = {}
    for by in ("critics", "listeners", "everybody"):
        answer = await many.get("/ml/overlooked", params={"by": by})
        assert answer.status_code == 200, answer.text
        assert_told(answer.json())
        first[by] = answer.json()["data"][0]["id"]
        assert [r["score"] for r in answer.json()["data"]] == sorted(
            (r["score"] for r in answer.json()["data"]), reverse=True
        )
    assert first["critics"] == albums[0]
    assert first["listeners"] == albums[1]
    of_tracks = (await many.get("/ml/overlooked", params={"what": "tracks", "k": 5})).json()
    assert {row["album_id"] for row in of_tracks["data"]} == {albums[0]}
    album = next(t for t in tracks if t["album_id"] == albums[0])
    none = {"genre": "no such genre"}
    assert "filters" in assert_problem(await many.get("/ml/overlooked", params=none), 404)["detail"]
    own = await many.get("/ml/overlooked", params={"artist": album["artist"]})
    assert {row["artist"] for row in own.json()["data"]} == {album["artist"]}
    assert_problem(await many.get("/ml/overlooked", params={"by": "nobody"}), 422)
    assert "what=tracks" in assert_problem(await many.get("/ml/overlooked", params={"format": "m3u"}), 422)["detail"]


async def test_playlists_in_every_form(many: httpx.AsyncClient, tracks: list[Track], database: Database) -> None:
    awkward = 'two\nlines, "quotes" ]]> & <b>'
    body = {"like": {"tracks": [tracks[0]["id"]]}, "per_artist": None, "k": 100}
    one = next(t for t in tracks[1:] if t["album_id"] == tracks[0]["album_id"])
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE enhanced_tracks SET title = $2, spotify_id = 'sp0' WHERE id = $1", one["id"], awkward
        )
    rows = (await post(many, "/ml/discover", body))["data"]
    assert awkward in {row["title"] for row in rows}
    plain = [" ".join(row["title"].split()) for row in rows]

    async def file(form: str) -> httpx.Response:
        answer = await many.post("/ml/discover", json=body, params={"format": form})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"].startswith('attachment; filename="playlist.')
        return answer

    xspf = ET.fromstring((await file("xspf")).content)
    assert [t.findtext(f"{{{XSPF}}}title") for t in xspf.iter(f"{{{XSPF}}}track")] == plain
    m3u = (await file("m3u")).text.splitlines()
    assert [line.partition(",")[2] for line in m3u if line.startswith("#EXTINF")] == [
        f"{row['artist']} - {title}" for row, title in zip(rows, plain, strict=True)
    ]
    assert "https://open.spotify.com/track/sp0" in m3u
    jspf = orjson.loads((await file("jspf")).content)["playlist"]["track"]
    assert [t["title"] for t in jspf] == plain
    table = list(csv.DictReader(io.StringIO((await file("csv")).text, newline="")))
    assert [r["id"] for r in table] == [r["id"] for r in rows]
    accepted = await many.post("/ml/discover", json=body, headers={"accept": "application/xspf+xml"})
    assert accepted.headers["content-type"] == "application/xspf+xml"
    assert_problem(await many.post("/ml/discover", json=body, headers={"accept": "image/png"}), 406)


async def test_an_empty_catalogue_says_so(api: httpx.AsyncClient) -> None:
    for path, body in (("/ml/discover", {"wish": "loud"}), ("/ml/playlists/continue", {"tracks": [{"id": "x"}]})):
        assert "ingest albums first" in assert_problem(await api.post(path, json=body), 404)["detail"]
    answers = [await api.get("/ml/path", params={"start": "a", "end": "b"}), await api.get("/ml/overlooked")]
    for answer in answers:
        assert "ingest" in assert_problem(answer, 404)["detail"]


@pytest.fixture
def settings_of(variables: dict[str, str]) -> Iterator[None]:
    with environment(**variables):
        yield


async def test_python_answers_as_http_does(many: httpx.AsyncClient, tracks: list[Track], settings_of: None) -> None:
    wish = "about 110 bpm, loud"
    body = {"wish": wish, "like": {"tracks": [tracks[0]["id"]]}}
    over_http = await post(many, "/ml/discover", body, tempo_from=90)
    wanted = TrackFilter(tempo_from=90)
    inside = await asyncio.to_thread(discover, wish, like=[tracks[0]["id"]], track_filter=wanted)
    assert orjson.loads(orjson.dumps(inside)) == over_http
    pairs: list[str | tuple[str, str]] = [(t["artist"], t["title"]) for t in tracks[:3]]
    assert (await asyncio.to_thread(continue_playlist, pairs, k=3))["count"] == 3
    last = next(t for t in reversed(tracks) if t["artist"] != tracks[0]["artist"])
    assert (await asyncio.to_thread(song_path, tracks[0]["id"], last["id"], steps=4))["count"] == 4
    assert (await asyncio.to_thread(overlooked, "listeners", k=3))["by"] == "listeners"
    with pytest.raises(InvalidInputError, match="rights='mine'"):
        await asyncio.to_thread(discover, "loud", rights="mine")
    with pytest.raises(NotFoundError, match="rights=open"):
        await asyncio.to_thread(discover, "loud", rights="open")


async def test_what_a_listener_heard_is_left_out_until_it_is_forgotten(
    many: httpx.AsyncClient, tracks: list[Track], database: Database
) -> None:
    body = {"like": {"tracks": [tracks[0]["id"]]}, "k": 5}
    heard = (await post(many, "/ml/discover", body))["data"][0]["id"]
    assert_problem(await many.post("/ml/discover", json=body, params={"seen_by": "me"}), 422)
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO listener_consents VALUES ('me', now())")
        await connection.execute(
            "INSERT INTO listens (listener, source, listened_at, track, artist, track_key, artist_key, track_id) "
            "VALUES ('me', 'spotify', now(), 't', 'a', 'a t', 'a', $1)",
            heard,
        )
    assert heard not in {row["id"] for row in (await post(many, "/ml/discover", body, seen_by="me"))["data"]}
    rows = (await many.get("/ml/training-data", params={"seen_by": "me", "limit": 5000})).json()["data"]
    assert {row["id"] for row in rows} == {track["id"] for track in tracks} - {heard}
    assert (await many.delete("/listeners/me")).status_code == 204
    assert_problem(await many.post("/ml/discover", json=body, params={"seen_by": "me"}), 422)
