"""Last.fm: names under which it knows an album, tags of each level, its listeners, and its error codes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web

from backend.ingestion.lastfm_fetcher import LastfmSource
from backend.ingestion.lastfm_listener import LastfmListener
from backend.models.ingestion_models import AlbumRecord, TrackRecord
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ServerFaultError,
    SourceError,
    UnconfiguredError,
)
from tests.fakes.lastfm import KEY, FakeLastfm, toptags
from tests.fakes.music import ARTIST, DELUXE, HARBOUR, SIGN
from tests.fakes.server import says
from tests.integration.sources.conftest import Wire, Wired

Lastfm = Wired[FakeLastfm]
KNOWN = AlbumRecord(
    title=DELUXE.title,
    artist=ARTIST,
    tracks=tuple(
        TrackRecord(title=s.title, artists=(ARTIST,), disc_number=s.disc, track_number=s.number) for s in DELUXE.songs
    ),
)


@pytest.fixture
async def lastfm(wire: Wire[FakeLastfm]) -> AsyncIterator[Lastfm]:
    async with wire(FakeLastfm(), LastfmSource) as wired:
        yield wired


@pytest.fixture
def listener(lastfm: Lastfm) -> LastfmListener:
    return LastfmListener(lastfm.transport)


async def test_an_album_with_its_own_tracks(lastfm: Lastfm) -> None:
    album = await lastfm.album("paper harbour", "amber lanterns")
    assert (album.title, album.artist, album.listeners) == (HARBOUR.title, ARTIST, 12345)
    assert {(t.name, t.weight, t.level) for t in album.tags} == {
        ("harbour folk", 1.0, "album"), ("melancholic", 0.4, "album"),
        ("folk", 1.0, "artist"), ("seen live", 0.61, "artist"), ("british", 0.2, "artist"),
    }  # fmt: skip
    assert [t.title for t in album.tracks] == [s.title for s in HARBOUR.songs]
    assert [t.track_number for t in album.tracks] == [1, 2, 3, 4, 5, 6]
    # Seconds become milliseconds; null is unknown, then the track's own entry speaks; of two tracks of one name the first.
    assert [t.duration_ms for t in album.tracks][:4] == [107_000, 114_000, 121_000, 128_000]
    assert [(t.name, t.weight) for t in album.tracks[0].tags] == [("sea", 1.0), ("calm", 0.35)]
    assert [(t.name, t.weight) for t in album.tracks[1].tags] == [("ballad", 1.0)]
    assert album.tracks[2].tags == ()


async def test_what_it_costs(lastfm: Lastfm) -> None:
    await lastfm.album(HARBOUR.title, ARTIST)
    counts = {m: lastfm.fake.methods().count(m) for m in lastfm.fake.methods()}
    # "Intro" stands twice on the album and is asked once; where a track's entry has no tags, none are asked for.
    assert counts == {
        "album.getInfo": 1, "album.getTopTags": 1, "artist.getTopTags": 1, "track.getInfo": 5, "track.getTopTags": 2,
    }  # fmt: skip
    assert all(a.query["autocorrect"] == "1" and a.query["format"] == "json" for a in lastfm.fake.asked)


async def test_an_artist_is_asked_once_in_a_while(lastfm: Lastfm) -> None:
    await asyncio.gather(*(lastfm.album(a.title, ARTIST) for a in (HARBOUR, SIGN, HARBOUR)))
    assert lastfm.fake.methods().count("artist.getTopTags") == 1


async def test_a_single_track_comes_bare(lastfm: Lastfm) -> None:
    assert [t.title for t in (await lastfm.album(SIGN.title, ARTIST)).tracks] == ["Plus"]


async def test_tracks_already_known_keep_their_titles_and_places(lastfm: Lastfm) -> None:
    album = await lastfm.album("paper harbour deluxe", ARTIST, known=KNOWN)
    assert [(t.title, t.track_number) for t in album.tracks] == [(s.title, s.number) for s in DELUXE.songs]
    # Last.fm knows the edition under its plain name only, and so its remastered tracks.
    albums = [a.query["album"] for a in lastfm.fake.asked if a.query["method"] == "album.getInfo"]
    assert albums == [DELUXE.title, HARBOUR.title]
    assert album.title == HARBOUR.title
    assert 0.5 < album.match_score < 1
    assert [t.name for t in album.tracks[0].tags] == ["sea", "calm"]
    # A demo is no edition of the recording: its tags are its own.
    assert album.tracks[5].tags == ()
    assert album.tracks[2].duration_ms == HARBOUR.songs[2].seconds * 1000


async def test_the_first_of_several_credited_artists(lastfm: Lastfm) -> None:
    tracks = tuple(replace(t, artists=(ARTIST, "Ada Moss")) for t in KNOWN.tracks)
    known = replace(KNOWN, title=HARBOUR.title, artist=f"{ARTIST}, Ada Moss", tracks=tracks)
    album = await lastfm.album("x", "y", known=known)
    assert (album.artist, album.match_method, album.listeners) == (ARTIST, "name", 12345)


async def test_a_comma_in_an_artists_name_is_none_between_artists(lastfm: Lastfm) -> None:
    track = TrackRecord(title="Tide", artists=("Lanterns, The Amber",))
    known = AlbumRecord(title="No Such Album", artist="Lanterns, The Amber", tracks=(track,))
    with pytest.raises(RecordNotFoundError):
        await lastfm.album("No Such Album", ARTIST, known=known)
    assert {a.query["artist"] for a in lastfm.fake.asked} == {"Lanterns, The Amber", ARTIST}


async def test_a_compilations_tracks_are_asked_under_their_own_artists(lastfm: Lastfm) -> None:
    known = replace(KNOWN, title=HARBOUR.title, tracks=(TrackRecord(title="Tide", artists=("Somebody Different",)),))
    await lastfm.album(HARBOUR.title, ARTIST, known=known)
    asked = [a.query["artist"] for a in lastfm.fake.asked if a.query["method"] == "track.getInfo"]
    assert asked == ["Somebody Different"]


async def test_a_correction_that_leads_to_another_album_is_not_followed(lastfm: Lastfm) -> None:
    other = '{"album": {"name": "Greatest Hits", "artist": "Queen", "url": "x", "tracks": ""}}'
    lastfm.fake.answer = says(other)
    with pytest.raises(RecordNotFoundError, match="no album 'Paper Harbour'"):
        await lastfm.album(HARBOUR.title, ARTIST)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (6, 200, RecordNotFoundError), (6, 400, RecordNotFoundError), (7, 200, RecordNotFoundError),
        (8, 200, ServerFaultError), (11, 200, ServerFaultError), (16, 200, ServerFaultError), (16, 503, ServerFaultError),
        (29, 200, RateLimitedError), (29, 429, RateLimitedError),
        (10, 403, UnconfiguredError), (26, 200, UnconfiguredError), (17, 403, BlockedError), (3, 400, RejectedError),
        (99, 200, RejectedError),
    ],
)  # fmt: skip
async def test_error_codes(code: int, status: int, error: type[SourceError], lastfm: Lastfm) -> None:
    lastfm.fake.answer = says(f'{{"error": {code}, "message": "in their words", "links": []}}', status)
    with pytest.raises(error) as found:
        await lastfm.album(SIGN.title, ARTIST)
    assert type(found.value) is error
    assert KEY not in str(found.value)


async def test_passing_errors_pass(lastfm: Lastfm) -> None:
    lastfm.fake.plan(*(says(f'{{"error": {code}, "message": "try again"}}') for code in (8, 16, 29)))
    assert (await lastfm.album(SIGN.title, ARTIST)).title == SIGN.title


async def test_a_refused_key_is_not_tried_again(lastfm: Lastfm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTFM_API_KEY", "another-key-of-mine")
    lastfm.source = LastfmSource()
    for _ in range(3):
        with pytest.raises(UnconfiguredError, match="LASTFM_API_KEY") as found:
            await lastfm.album(SIGN.title, ARTIST)
        assert "another-key-of-mine" not in str(found.value)
    assert len(lastfm.fake.asked) == 1


@pytest.mark.parametrize("names", [("", ARTIST), ("x", "  ")])
async def test_blank_names_are_not_asked(names: tuple[str, str], lastfm: Lastfm) -> None:
    with pytest.raises(RejectedError, match="without"):
        await lastfm.album(*names)
    assert not lastfm.fake.asked


@pytest.mark.parametrize("body", ['{"album": ""}', '{"album": {"artist": "x"}}', '{"album": null}'])
async def test_an_album_without_a_name_is_malformed(body: str, lastfm: Lastfm) -> None:
    lastfm.fake.answer = says(body)
    with pytest.raises(MalformedReplyError, match="without a name"):
        await lastfm.album(SIGN.title, ARTIST)


async def test_a_blank_key_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTFM_API_KEY", "  ")
    assert LastfmSource().unconfigured() == "LASTFM_API_KEY not set"


async def test_a_listeners_most_played(listener: LastfmListener) -> None:
    artists = await listener.top("ada", "artists", period="overall", limit=10)
    assert [(a["rank"], a["name"], a["plays"]) for a in artists] == [(1, ARTIST, 90), (2, "Nobody Else", 7)]
    albums = await listener.top("ada", "albums", period="7day", limit=10)
    assert [(a["name"], a["artist"], a["plays"]) for a in albums] == [("Paper Harbour", ARTIST, 55)]
    assert await listener.top("ada", "tracks", period="1month", limit=10) == []
    assert len(await listener.top("ada", "artists", period="overall", limit=1)) == 1
    assert await listener.info("ada") == {"name": "Ada", "plays": 9876, "url": "https://www.last.fm/user/Ada"}


async def test_unknown_and_private_listeners(listener: LastfmListener) -> None:
    with pytest.raises(RecordNotFoundError, match="User not found"):
        await listener.top("nobody", "artists", period="overall", limit=10)
    with pytest.raises(RecordNotFoundError):
        await listener.info("nobody")
    with pytest.raises(BlockedError, match="private"):
        await listener.top("hermit", "artists", period="overall", limit=10)


async def test_listeners_need_a_key(lastfm: Lastfm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LASTFM_API_KEY")
    with pytest.raises(UnconfiguredError, match="LASTFM_API_KEY"):
        await LastfmListener(lastfm.transport).top("ada", "artists", period="overall", limit=10)
    assert not lastfm.fake.asked


async def test_of_an_album_it_does_not_know_the_tags_of_its_artist_and_tracks_are_taken(lastfm: Lastfm) -> None:
    known = AlbumRecord(
        title="Unheard Of",
        artist=ARTIST,
        tracks=(TrackRecord(title="Tide", artists=(ARTIST,), track_number=1), TrackRecord(title="New", track_number=2)),
    )
    found = await lastfm.album("Unheard Of", ARTIST, known=known)
    assert (found.title, found.match_method, found.listeners) == ("Unheard Of", "artist", None)
    assert {t.level for t in found.tags} == {"artist"}
    assert [[t.name for t in track.tags] for track in found.tracks] == [["sea", "calm"], []]


async def test_of_an_album_and_an_artist_it_does_not_know_nothing_is_taken(lastfm: Lastfm) -> None:
    known = AlbumRecord(title="Unheard Of", artist="Nobody", tracks=(TrackRecord(title="New", track_number=1),))
    with pytest.raises(RecordNotFoundError):
        await lastfm.album("Unheard Of", "Nobody", known=known)


# -- listeners -----------------------------------------------------------------------------------


def counted(*numbers: int | None) -> AlbumRecord:
    """The album as it is known once others have counted listeners of some tracks."""
    tracks = tuple(
        TrackRecord(title=s.title, artists=(ARTIST,), disc_number=s.disc, track_number=s.number, listeners=n)
        for s, n in zip(HARBOUR.songs, numbers, strict=True)
    )
    return AlbumRecord(title=HARBOUR.title, artist=ARTIST, tracks=tracks)


async def test_listeners_are_asked_for_where_nobody_has_counted_them(lastfm: Lastfm) -> None:
    album = await lastfm.album(HARBOUR.title, ARTIST, known=counted(7, None, 7, 7, None, 7))
    asked = [a.query["track"] for a in lastfm.fake.asked if a.query["method"] == "track.getInfo"]
    # The second "Intro" stands beside one that is counted; both are the same recording there.
    assert sorted(asked) == ["Intro", "Quay"]
    assert [t.listeners for t in album.tracks] == [None, 2000, None, 4000, 4000, None]
    assert [t.popularity for t in album.tracks] == [None, 49, None, 54, 54, None]
    assert [bool(t.tags) for t in album.tracks] == [True, True, False, False, False, False]


async def test_of_counted_tracks_the_tags_alone_are_asked(lastfm: Lastfm) -> None:
    await lastfm.album(HARBOUR.title, ARTIST, known=counted(*[7] * 6))
    assert sorted(set(lastfm.fake.methods())) == [
        "album.getInfo", "album.getTopTags", "artist.getTopTags", "track.getTopTags",
    ]  # fmt: skip


async def test_an_albums_listeners_make_its_popularity(lastfm: Lastfm) -> None:
    album = await lastfm.album(HARBOUR.title, ARTIST)
    assert (album.listeners, album.popularity) == (12345, 61)


async def test_no_request_is_made_twice(lastfm: Lastfm) -> None:
    titles = ("Tide - Remastered 2017", "Tide", "Quay - Remastered 2017", "Salt & Rope", "Salt & Rope - Remastered")
    known = AlbumRecord(
        title=HARBOUR.title, artist=ARTIST, tracks=tuple(TrackRecord(title=t, artists=(ARTIST,)) for t in titles)
    )
    album = await lastfm.album(HARBOUR.title, ARTIST, known=known)
    asked = [tuple(sorted(a.query.items())) for a in lastfm.fake.asked]
    assert len(asked) == len(set(asked))
    assert [t.listeners for t in album.tracks] == [1000, 1000, 2000, 3000, 3000]


async def test_corrected_names_are_kept(lastfm: Lastfm) -> None:
    album = await lastfm.album(HARBOUR.title, ARTIST, known=replace(counted(*[None] * 6), artist="amber lanterns"))
    assert album.artist == ARTIST
    assert {t.artists for t in album.tracks} == {(ARTIST,)}


async def test_an_answer_about_somebody_else_is_not_taken(lastfm: Lastfm) -> None:
    async def confused(request: web.BaseRequest) -> web.StreamResponse:
        if request.query["method"].startswith("track."):
            return toptags([("polka", 100)], artist="Somebody Different", track=request.query["track"])
        return await lastfm.fake.usual(request)

    lastfm.fake.answer = confused
    album = await lastfm.album(HARBOUR.title, ARTIST, known=counted(*[7] * 6))
    assert not [t for t in album.tracks if t.tags]


def test_it_is_asked_last_and_stored_within_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTFM_API_KEY", KEY)
    profile = LastfmSource().profile
    assert (profile.stage, profile.storage_cap) == ("completion", 100_000_000)
    assert 0 < profile.gives["popularity"] < 0.6  # ListenBrainz goes first: its counts are open
