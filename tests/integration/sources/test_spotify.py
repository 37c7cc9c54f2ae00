"""Spotify: what is asked for how often, what a client id may not do, and what refusals mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from backend.ingestion.spotify_fetcher import SpotifySource
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ThrottledError,
    UnconfiguredError,
)
from tests.fakes.music import ALBUMS, ARTIST, ARTIST_ID, DELUXE, HARBOUR, SIGN, SIXTY
from tests.fakes.server import says
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
    with pytest.raises(RejectedError, match="spotify_id must be"):
        await spotify.album("x", "y", hints={"spotify_id": hint})
    assert not spotify.fake.asked


async def test_an_id_that_spotify_does_not_know(spotify: Spotify) -> None:
    with pytest.raises(RecordNotFoundError):
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
