"""Spotify: what is asked for how often, what a client id may not do, and what refusals mean."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog.testing
from aiohttp import web

from backend.ingestion.memory import ProcessMemory
from backend.ingestion.spotify_access import Access
from backend.ingestion.spotify_fetcher import SpotifySource
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import (
    BlockedError,
    ConfigurationError,
    HintError,
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ThrottledError,
    UnconfiguredError,
)
from tests.fakes.music import ALBUMS, ARTIST, ARTIST_ID, DELUXE, HARBOUR, SIGN, SIXTY
from tests.fakes.server import Answer, says
from tests.fakes.spotify import SECRET, FakeSpotify
from tests.integration.sources.conftest import Wire, Wired


@pytest.fixture
async def spotify(wire: Wire[FakeSpotify]) -> AsyncIterator[Wired[FakeSpotify]]:
    async with wire(FakeSpotify(), SpotifySource) as wired:
        yield wired


Spotify = Wired[FakeSpotify]
NOTHING = says('{"albums": {"items": [], "total": 0}}')


async def test_everything_an_extended_client_may_have(spotify: Spotify) -> None:
    album = await spotify.album("paper harbour", "amber lanterns")
    assert (album.title, album.artist) == (HARBOUR.title, ARTIST)
    assert (album.release_date, album.label, album.upc, album.popularity) == (
        "1987-10",
        "Quayside",
        "4000000000013",
        41,
    )
    assert album.ids == {"spotify": HARBOUR.id}
    assert album.artist_ids == {"spotify": ARTIST_ID}
    assert album.url == f"https://open.spotify.com/album/{HARBOUR.id}"
    assert [t.name for t in album.tags] == ["harbour folk", "sea shanty"]
    assert album.match_method == "name"
    shown = [(t.title, t.disc_number, t.track_number, t.duration_ms, t.popularity) for t in album.tracks]
    assert shown == [(s.title, s.disc, s.number, s.seconds * 1000 + 500, s.number) for s in HARBOUR.songs]
    assert album.tracks[0].isrc == "ZZTST0010101"
    tide, intro = album.tracks[0], album.tracks[3]
    assert tide.audio_features["tempo"] == 120.5
    assert tide.audio_features["key"] == -1
    assert len(tide.audio_features) == 12
    assert intro.audio_features == {}
    assert tide.explicit is False
    assert tide.artists == (ARTIST,)


async def test_what_it_costs_in_extended_mode(spotify: Spotify) -> None:
    await spotify.album(HARBOUR.title, ARTIST)
    assert spotify.fake.paths() == [
        "/accounts/api/token", "/v1/search", f"/v1/albums/{HARBOUR.id}", "/v1/tracks", "/v1/audio-features",
        f"/v1/artists/{ARTIST_ID}",
    ]  # fmt: skip
    await spotify.album(SIGN.title, ARTIST)
    assert len(spotify.fake.asked) == 10  # neither token nor artist again


async def test_development_mode_is_found_out_once(spotify: Spotify) -> None:
    spotify.fake.extended = False

    async def slow_to_refuse(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/v1/tracks":
            await asyncio.sleep(0.2)  # for the other albums to come as far
        return await spotify.fake.usual(request)

    spotify.fake.answer = slow_to_refuse
    albums = await asyncio.gather(*(spotify.album(a.title, ARTIST) for a in (HARBOUR, SIGN, SIXTY)))
    assert [len(a.tracks) for a in albums] == [6, 1, 60]
    assert all(t.popularity is None and t.isrc is None and not t.audio_features for a in albums for t in a.tracks)
    assert all(a.popularity is None and a.label is None and not a.tags for a in albums)
    assert len(spotify.fake.paths("/v1/tracks")) == 1
    assert len(spotify.fake.paths("/v1/audio-features")) == 1
    assert len(spotify.fake.paths("/v1/artists")) == 0
    assert len(spotify.fake.paths("/accounts")) == 1


async def test_more_tracks_than_a_page_holds(spotify: Spotify) -> None:
    album = await spotify.album(SIXTY.title, ARTIST)
    assert [t.track_number for t in album.tracks] == list(range(1, 61))
    assert all(t.isrc and t.audio_features for t in album.tracks)
    assert album.release_date == "1999"
    assert len(spotify.fake.paths("/v1/tracks")) == 2
    assert len(spotify.fake.paths("/v1/audio-features")) == 1


@pytest.mark.parametrize("album", ALBUMS, ids=lambda a: a.title)
async def test_the_exact_name_wins(album: object, spotify: Spotify) -> None:
    title = album.title  # type: ignore[attr-defined]  # pytest shows it by name
    assert (await spotify.album(title, ARTIST)).title == title


async def test_plain_words_when_the_filters_find_nothing(spotify: Spotify) -> None:
    album = await spotify.album("Paper Harbor", ARTIST)
    assert album.title == HARBOUR.title
    assert album.match_score < 1
    searches = [a.query["q"] for a in spotify.fake.asked if a.path == "/v1/search"]
    assert searches == [f'album:"Paper Harbor" artist:"{ARTIST}"', f"Paper Harbor {ARTIST}"]


async def test_the_title_alone_when_the_artist_is_misspelt(spotify: Spotify) -> None:
    spotify.fake.plan(spotify.fake.usual, NOTHING, NOTHING)
    album = await spotify.album("Paper Harbour [Explicit]", "TheA mberLanterns")
    assert album.title == HARBOUR.title
    assert [a.query["q"] for a in spotify.fake.asked if a.path == "/v1/search"][2:] == ["Paper Harbour"]


async def test_quotes_do_not_end_the_filter(spotify: Spotify) -> None:
    with pytest.raises(RecordNotFoundError):
        await spotify.album('"Nothing" year:1900', ARTIST)
    assert spotify.fake.asked[1].query["q"] == f'album:" Nothing  year:1900" artist:"{ARTIST}"'


@pytest.mark.parametrize(
    "hint", [DELUXE.id, f"spotify:album:{DELUXE.id}", f"https://open.spotify.com/intl-de/album/{DELUXE.id}?si=abc"]
)
async def test_an_album_by_its_id(hint: str, spotify: Spotify) -> None:
    album = await spotify.album("whatever", "whoever", hints={"spotify_id": hint})
    assert (album.title, album.match_method, album.match_score) == (DELUXE.title, "id", 1.0)
    assert not spotify.fake.paths("/v1/search")


@pytest.mark.parametrize(
    "hint", ["", "../search?q=x", "me", DELUXE.id + "/tracks", f"https://other.example/{DELUXE.id}"]
)
async def test_a_hint_that_is_no_id_is_refused(hint: str, spotify: Spotify) -> None:
    with pytest.raises(HintError, match="spotify_id must be"):
        await spotify.album("x", "y", hints={"spotify_id": hint})
    assert not spotify.fake.asked


async def test_an_id_that_spotify_does_not_know_is_the_callers_to_mend(spotify: Spotify) -> None:
    with pytest.raises(HintError, match="knows no album '0000"):
        await spotify.album("x", "y", hints={"spotify_id": "0" * 22})


async def test_a_refused_token_is_renewed_in_mid_run(spotify: Spotify) -> None:
    spotify.fake.good_for = 3
    album = await spotify.album(SIXTY.title, ARTIST)
    assert len(album.tracks) == 60
    assert len(spotify.fake.tokens) == 3


async def test_a_token_that_ends_is_renewed_before(spotify: Spotify) -> None:
    spotify.fake.expires_in = 0
    await spotify.album(SIGN.title, ARTIST)
    assert len(spotify.fake.tokens) > 1
    assert len(spotify.fake.tokens) == len(spotify.fake.paths("/v1"))


async def test_tokens_that_are_never_good_end_in_an_error(spotify: Spotify) -> None:
    spotify.fake.good_for = 0
    with pytest.raises(RejectedError, match="access token"):
        await spotify.album(SIGN.title, ARTIST)
    assert len(spotify.fake.tokens) == 2


async def test_one_token_for_all(spotify: Spotify) -> None:
    await asyncio.gather(*(spotify.album(SIGN.title, ARTIST) for _ in range(5)))
    assert len(spotify.fake.tokens) == 1


async def test_refused_credentials_are_named_and_not_tried_again(
    spotify: Spotify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET", "wrong-secret-of-mine")
    spotify.source = SpotifySource()
    for _ in range(3):
        with pytest.raises(UnconfiguredError, match="SPOTIFY_CLIENT_SECRET") as found:
            await spotify.album(SIGN.title, ARTIST)
        assert "wrong-secret-of-mine" not in str(found.value)
    assert len(spotify.fake.asked) == 1


async def test_no_premium_is_shown_in_spotifys_words(spotify: Spotify) -> None:
    spotify.fake.premium = False
    for _ in range(3):
        with pytest.raises(BlockedError, match="Active premium subscription required"):
            await spotify.album(SIGN.title, ARTIST)
    assert len(spotify.fake.paths("/v1")) == 1


async def test_a_forbidden_search_is_blocked(spotify: Spotify) -> None:
    forbidden = says('{"error": {"status": 403, "message": "User not registered"}}', 403)
    spotify.fake.answer = lambda r: spotify.fake.usual(r) if "token" in r.path else forbidden(r)
    with pytest.raises(BlockedError, match="User not registered"):
        await spotify.album(SIGN.title, ARTIST)


QUOTA = '{"error": {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}}'


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "5"}, {"Retry_After": "52531"}])
async def test_a_used_up_quota_is_not_waited_for(headers: dict[str, str], spotify: Spotify) -> None:
    used_up = says(QUOTA, 429, **headers)
    spotify.fake.answer = lambda r: spotify.fake.usual(r) if "token" in r.path else used_up(r)
    with pytest.raises(ThrottledError) as found:
        await spotify.album(SIGN.title, ARTIST)
    assert found.value.until > datetime.now(UTC)
    if headers.get("Retry_After") == "52531":
        assert found.value.until > datetime.now(UTC) + timedelta(hours=14)
    assert len(spotify.fake.paths("/v1")) == 1


async def test_the_accounts_service_too_may_throttle(spotify: Spotify) -> None:
    spotify.fake.answer = says("{}", 429)
    with pytest.raises(RateLimitedError):
        await spotify.album(SIGN.title, ARTIST)


@pytest.mark.parametrize(
    "album",
    ['{"id": "x", "name": "Gone", "tracks": null}', '{"id": "x", "name": "Gone", "tracks": {"items": null}}', "{}"],
)
async def test_an_album_without_tracks_is_malformed(album: str, spotify: Spotify) -> None:
    odd = says(album)
    spotify.fake.answer = lambda r: odd(r) if "/albums/" in r.path else spotify.fake.usual(r)
    with pytest.raises(MalformedReplyError, match="tracks"):
        await spotify.album(SIGN.title, ARTIST)


async def test_an_album_taken_down_is_not_found(spotify: Spotify) -> None:
    gone = says('{"id": "x", "name": "", "tracks": {"items": [], "total": 0}, "artists": []}')
    spotify.fake.answer = lambda r: gone(r) if "/albums/" in r.path else spotify.fake.usual(r)
    with pytest.raises(RecordNotFoundError, match="taken the album down"):
        await spotify.album(SIGN.title, ARTIST)


async def test_asking_again_gives_the_same(spotify: Spotify) -> None:
    first: AlbumRecord = await spotify.album(HARBOUR.title, ARTIST)
    assert await spotify.album(HARBOUR.title, ARTIST) == first


def test_the_secret_is_not_in_the_settings_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIFY_CLIENT_SECRET", SECRET)
    assert SECRET not in f"{SpotifySource().settings.shown()} {SpotifySource().settings!r}"


# -- what a client id may ------------------------------------------------------------------------


class Remembering(ProcessMemory):
    """Notes for how long what is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, tuple[Any, float]] = {}

    async def remember(self, values: Mapping[str, Any], *, seconds: float) -> None:
        self.kept |= {k: (v, seconds) for k, v in values.items()}
        await super().remember(values, seconds=seconds)


async def restarted(spotify: Spotify, title: str) -> AlbumRecord:
    """Ask with a source that has just begun; what the transport remembers stays."""
    spotify.source = SpotifySource()
    spotify.fake.asked.clear()
    return await spotify.album(title, ARTIST)


async def test_a_refusal_is_remembered_over_restarts(spotify: Spotify) -> None:
    spotify.fake.extended, spotify.transport.memory = False, (memory := Remembering())
    await spotify.album(HARBOUR.title, ARTIST)
    assert len(spotify.fake.paths("/v1/tracks") + spotify.fake.paths("/v1/audio-features")) == 2
    assert {kept for kept, _ in memory.kept.values()} == {False}
    assert {seconds for _, seconds in memory.kept.values()} == {7 * 86_400.0}
    await restarted(spotify, SIGN.title)
    assert spotify.fake.paths("/v1") == ["/v1/search", f"/v1/albums/{SIGN.id}"]


async def test_an_allowance_is_remembered_over_restarts(spotify: Spotify) -> None:
    spotify.transport.memory = memory = Remembering()
    await spotify.album(HARBOUR.title, ARTIST)
    assert {kept for kept, _ in memory.kept.values()} == {True}
    assert {seconds for _, seconds in memory.kept.values()} == {30 * 86_400.0}
    memory.kept.clear()
    await restarted(spotify, SIXTY.title)
    assert not memory.kept  # it is known already


async def test_an_allowance_that_is_taken_back(spotify: Spotify) -> None:
    spotify.transport.memory = memory = Remembering()
    await spotify.album(HARBOUR.title, ARTIST)
    spotify.fake.extended = False
    album = await spotify.album(SIGN.title, ARTIST)
    assert [t.isrc for t in album.tracks] == [None]
    assert {kept for kept, _ in memory.kept.values()} == {False}


async def test_the_client_id_itself_is_not_kept(spotify: Spotify) -> None:
    spotify.transport.memory = memory = Remembering()
    await spotify.album(SIGN.title, ARTIST)
    mine = hashlib.sha256(b"client").hexdigest()[:16]
    assert sorted(memory.kept) == [f"may:{mine}:audio-features", f"may:{mine}:tracks"]
    assert "client" not in str(memory.kept)
    assert await Access("auto", "client").known("tracks", memory) is True
    assert await Access("auto", "another").known("tracks", memory) is None


async def test_development_said_by_the_user_is_not_found_out(spotify: Spotify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIFY_MODE", "Development")
    album = await restarted(spotify, HARBOUR.title)
    assert len(album.tracks) == 6
    assert spotify.fake.paths("/v1") == ["/v1/search", f"/v1/albums/{HARBOUR.id}"]


async def test_extended_said_by_the_user_outweighs_an_old_refusal(
    spotify: Spotify, monkeypatch: pytest.MonkeyPatch
) -> None:
    spotify.fake.extended = False
    await spotify.album(SIGN.title, ARTIST)
    spotify.fake.extended = True
    assert (await restarted(spotify, SIGN.title)).tracks[0].isrc is None
    monkeypatch.setenv("SPOTIFY_MODE", "extended")
    assert (await restarted(spotify, SIGN.title)).tracks[0].isrc == "ZZTST0040101"
    # Who is refused all the same does not ask for each album anew, and is told.
    spotify.fake.extended = False
    with structlog.testing.capture_logs() as logs:
        await restarted(spotify, SIGN.title)
    assert [(entry["log_level"], entry["endpoint"]) for entry in logs] == [
        ("warning", "tracks"),
        ("warning", "audio-features"),
    ]
    await spotify.album(HARBOUR.title, ARTIST)
    assert len(spotify.fake.paths("/v1/tracks")) == 1


@pytest.mark.parametrize("mode", ["dev", "none", "auto,extended"])
def test_a_mode_that_is_none_is_refused_by_name(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTIFY_MODE", mode)
    with pytest.raises(ConfigurationError, match=r"SPOTIFY_MODE: .*'auto', 'development' or 'extended'"):
        SpotifySource()


async def test_development_mode_costs_two_requests_an_album(spotify: Spotify) -> None:
    spotify.fake.extended = False
    await spotify.album(HARBOUR.title, ARTIST)
    spotify.fake.asked.clear()
    albums = await asyncio.gather(*(spotify.album(a.title, ARTIST) for a in ALBUMS))
    # The fourth has more tracks than a page holds.
    assert len(spotify.fake.asked) == 2 * len(albums) + 1
    asked = [(a.path, tuple(a.query.items())) for a in spotify.fake.asked]
    assert len(set(asked)) == len(asked)


async def test_an_artist_of_albums_that_run_at_once_is_asked_for_once(spotify: Spotify) -> None:
    await asyncio.gather(*(spotify.album(a.title, ARTIST) for a in ALBUMS))
    assert len(spotify.fake.paths("/v1/artists")) == 1


# -- odd answers ---------------------------------------------------------------------------------


def instead(spotify: Spotify, where: str, answer: Answer) -> None:
    spotify.fake.answer = lambda r: answer(r) if where in r.path else spotify.fake.usual(r)


@pytest.mark.parametrize("status", [403, 404])
async def test_an_artist_that_is_not_to_be_had_costs_the_genres_alone(status: int, spotify: Spotify) -> None:
    instead(spotify, "/artists/", says(json.dumps({"error": {"status": status, "message": "no"}}), status))
    album = await spotify.album(SIGN.title, ARTIST)
    assert (len(album.tracks), album.tags) == (1, ())


def songs(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [{"id": f"{n:022}", "name": f"Song {n}", "track_number": n} for n in numbers]


def paged(total: int, pages: Mapping[int, Any], following: Mapping[int, object] | None = None) -> Answer:
    """An album whose pages are as given, by offset."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        offset = int(request.query.get("offset", "0"))
        page = {"items": pages.get(offset, []), "total": total, "offset": offset, "limit": 50}
        if following is not None:
            page["next"] = following.get(offset)
        album = {"id": "x" * 22, "name": SIGN.title, "artists": [{"name": ARTIST}], "tracks": page}
        return await says(json.dumps(page if request.path.endswith("/tracks") else album))(request)

    return answer


FIRST, SECOND = songs(range(1, 51)), songs(range(51, 61))
PAGES: dict[int, Any] = {0: FIRST, 50: SECOND}
NEXT = {0: "https://api.spotify.com/v1/albums/x/tracks?offset=50&limit=50"}


@pytest.mark.parametrize(
    ("total", "pages", "following", "tracks", "asked"),
    [
        (60, PAGES, NEXT, 60, 1),
        (60, PAGES, None, 60, 1),
        (3, PAGES, NEXT, 60, 1),  # fewer promised than come
        (99, PAGES, NEXT, 60, 1),  # more promised than come, and the last page says so
        (99, PAGES, None, 60, 2),  # and nothing says so but an empty page
        (60, {0: [None, *FIRST[1:]], 50: [None, *SECOND[1:]]}, None, 58, 1),
        (60, {0: FIRST[:40], 50: SECOND}, NEXT, 50, 1),  # a page with less than its share
        (60, {0: FIRST, 45: [*FIRST[45:], *SECOND]}, {0: "x?offset=45"}, 60, 1),  # pages that overlap
        (60, PAGES, {0: "x?offset=50", 50: "x?offset=50"}, 60, 1),  # round in a circle
        (60, {0: FIRST, 50: None}, NEXT, 50, 1),
    ],
)  # fmt: skip
async def test_pages_are_followed_to_their_end(
    total: int, pages: Any, following: Any, tracks: int, asked: int, spotify: Spotify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_MODE", "development")
    spotify.source = SpotifySource()
    instead(spotify, "/albums/", paged(total, pages, following))
    album = await spotify.album(SIGN.title, ARTIST)
    assert len({t.title for t in album.tracks}) == len(album.tracks) == tracks
    assert len([a for a in spotify.fake.asked if a.path.endswith("/tracks")]) == asked


async def test_fields_that_nobody_knows_are_counted_and_named_once(spotify: Spotify) -> None:
    async def modern(request: web.BaseRequest) -> web.StreamResponse:
        found = await spotify.fake.usual(request)
        assert isinstance(found, web.Response)
        value = json.loads(found.text or "")
        if "/albums/" in request.path:
            value |= {"ai_mood": {"x": 1}, "tracks": {**value["tracks"], "etag": "x"}}
            value["tracks"]["items"] = [{**t, "stems": []} for t in value["tracks"]["items"]]
        return web.Response(text=json.dumps(value), status=found.status)

    before = await spotify.album(HARBOUR.title, ARTIST)
    assert isinstance(spotify.source, SpotifySource)
    assert spotify.source.unknown_fields == {}
    spotify.fake.answer = modern
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            assert await spotify.album(HARBOUR.title, ARTIST) == before
    assert spotify.source.unknown_fields == {"album.ai_mood": 2, "page.etag": 2, "track.stems": 12}
    assert sorted(entry["field"] for entry in logs) == ["album.ai_mood", "page.etag", "track.stems"]


async def test_what_waits_for_longer_than_its_token_lives_is_asked_with_a_new_one(spotify: Spotify) -> None:
    spotify.fake.expires_in, refusals = 0, 0

    async def refusing(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal refusals
        if "/albums/" in request.path and refusals < 3:
            refusals += 1
            return await says('{"error": {"status": 401, "message": "The access token expired"}}', 401)(request)
        return await spotify.fake.usual(request)

    spotify.fake.answer = refusing
    assert (await spotify.album(SIGN.title, ARTIST)).title == SIGN.title
    assert refusals == 3


async def test_too_many_requests_of_the_rolling_limit_are_waited_for(spotify: Spotify) -> None:
    spotify.fake.plan(spotify.fake.usual, says('{"error": {"status": 429}}', 429, Retry_After="0.05"))
    assert (await spotify.album(SIGN.title, ARTIST)).title == SIGN.title
    assert len(spotify.fake.paths("/v1/search")) == 2


async def test_albums_not_taken_are_kept_for_a_person(spotify: Spotify) -> None:
    with pytest.raises(RecordNotFoundError) as found:
        await spotify.album("Paper Cathedral of Salt", ARTIST)
    nearest = found.value.candidates[0]
    assert (nearest.source, nearest.hint) == ("spotify", "spotify_id")
    taken = await spotify.album("Paper Cathedral of Salt", ARTIST, hints={nearest.hint: nearest.id})
    assert taken.title == nearest.title


async def test_how_sure_a_match_is_and_why(spotify: Spotify) -> None:
    album = await spotify.album("Paper Harbor", ARTIST)
    assert sum(album.match_penalties.values()) == pytest.approx(1 - album.match_score)
    assert album.match_penalties
