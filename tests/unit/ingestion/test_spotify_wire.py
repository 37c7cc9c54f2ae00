"""Spotify's JSON with the holes that development mode, takedowns and old entries leave in it."""

from __future__ import annotations

from typing import Any

import pytest

from backend.ingestion.spotify_wire import read_album, read_candidates
from backend.utils.errors import MalformedReplyError

BARE: dict[str, Any] = {"id": "a", "name": "Album", "artists": [{"name": "Artist"}], "tracks": {"items": []}}


def read(**more: Any) -> Any:
    return read_album({"album": {**BARE, **more}})


def test_a_bare_album_is_enough() -> None:
    album = read()
    assert (album.title, album.artist, album.ids) == ("Album", "Artist", {"spotify": "a"})
    assert (album.release_date, album.label, album.upc, album.popularity, album.url) == (None,) * 5
    assert album.tracks == album.tags == ()
    assert album.artist_ids == {}


@pytest.mark.parametrize(
    ("date", "precision", "expected"),
    [
        ("1969-09-26", "day", "1969-09-26"), ("1969-09", "month", "1969-09"), ("1969", "year", "1969"),
        ("1969-01-01", "year", "1969"), ("1969-09-01", "month", "1969-09"), ("1969", None, "1969"),
        ("0000", "year", None), ("", "day", None), (None, None, None), ("0000-00-00", "day", None), ("soon", "day", None),
    ],
)  # fmt: skip
def test_dates_are_as_precise_as_they_say(date: str | None, precision: str | None, expected: str | None) -> None:
    assert read(release_date=date, release_date_precision=precision).release_date == expected


@pytest.mark.parametrize("missing", ["id", "name", "artists", "tracks"])
def test_what_must_be_there_is_named(missing: str) -> None:
    with pytest.raises(MalformedReplyError, match="track list" if missing == "tracks" else missing):
        read(**{missing: None})


def test_nulls_and_nameless_tracks_are_passed_over() -> None:
    items = [
        None,
        {"id": "1", "name": ""},
        {"id": "2", "name": "Song"},
        {"name": "Local", "id": None},
        {"id": "4", "name": None},
    ]
    tracks = read(tracks={"items": items}).tracks
    assert [(t.title, t.ids) for t in tracks] == [("Song", {"spotify": "2"}), ("Local", {})]


def test_wrong_types_are_unknown() -> None:
    item = {
        "id": "1", "name": "Song", "disc_number": None, "track_number": "3", "duration_ms": 0, "explicit": None,
        "artists": [None, {"name": ""}, {"name": "A"}],
    }  # fmt: skip
    (track,) = read(tracks={"items": [item]}).tracks
    assert (track.disc_number, track.track_number, track.duration_ms, track.explicit) == (1, None, None, None)
    assert track.artists == ("A",)


def test_full_tracks_and_features_are_joined_by_id() -> None:
    payload = {
        "album": {**BARE, "tracks": {"items": [{"id": "1", "name": "One"}, {"id": "2", "name": "Two"}]}},
        "tracks": [None, {"id": "2", "external_ids": {"isrc": "ZZTST0000002"}, "popularity": 0}, {"id": "1"}],
        "audio_features": [{"id": "2", "tempo": 99.5, "key": 0, "mode": 1, "energy": None, "uri": "x"}, None],
        "artist": {"genres": ["a genre"]},
    }
    one, two = read_album(payload).tracks
    assert (one.isrc, one.popularity, one.audio_features) == (None, None, {})
    assert (two.isrc, two.popularity, two.audio_features) == (
        "ZZTST0000002",
        0,
        {"tempo": 99.5, "key": 0.0, "mode": 1.0},
    )
    assert [(t.name, t.level) for t in read_album(payload).tags] == [("a genre", "artist")]


def test_an_artist_without_genres() -> None:
    assert read_album({"album": BARE, "artist": {"id": "x"}}).tags == ()
    assert read_album({"album": BARE, "artist": {"genres": None}}).tags == ()


def test_candidates_without_id_or_name_are_passed_over() -> None:
    items = [
        None, {"id": "1", "name": ""}, {"id": None, "name": "x"}, {"name": "y"},
        {"id": "2", "name": "Good", "artists": [{"name": "A"}, None, {"name": "B"}], "release_date": "0000"},
        {"id": "3", "name": "Better", "artists": None, "release_date": "1999-01", "total_tracks": 12},
    ]  # fmt: skip
    found = read_candidates({"albums": {"items": items}})
    assert [(c.id, c.artist, c.year, c.total_tracks) for c in found] == [("2", "A, B", None, None), ("3", "", 1999, 12)]


@pytest.mark.parametrize("reply", [{}, {"albums": None}, {"albums": {}}, {"albums": {"items": None}}])
def test_a_search_without_albums_is_malformed(reply: dict[str, Any]) -> None:
    with pytest.raises(MalformedReplyError, match=r"albums\.items"):
        read_candidates(reply)


def test_a_relinked_track_keeps_the_id_that_the_album_has() -> None:
    """Markets see copies; what was asked for under the original's id is answered under the copy's."""
    items = [
        {"id": "copy", "name": "One", "linked_from": {"id": "original", "uri": "spotify:track:original"}},
        {"id": "own", "name": "Two", "linked_from": None},
    ]
    payload = {
        "album": {**BARE, "tracks": {"items": items}},
        "tracks": [{"id": "copy", "linked_from": {"id": "original"}, "external_ids": {"isrc": "ZZTST0000001"}}],
        "audio_features": [{"id": "original", "tempo": 99.5}, {"id": "own", "tempo": 100}],
    }
    one, two = read_album(payload).tracks
    assert (one.ids, one.isrc, one.audio_features) == ({"spotify": "original"}, "ZZTST0000001", {"tempo": 99.5})
    assert (two.ids, two.audio_features) == ({"spotify": "own"}, {"tempo": 100.0})


def test_a_local_file_is_a_track_without_an_id() -> None:
    (track,) = read(
        tracks={"items": [{"id": "x", "name": "Demo", "is_local": True, "uri": "spotify:local:::Demo:60"}]}
    ).tracks
    assert (track.title, track.ids) == ("Demo", {})


def test_a_track_that_overlapping_pages_repeat_stands_once() -> None:
    """The same recording at two places of the album is two tracks."""
    one, again = {"id": "1", "name": "One", "track_number": 1}, {"id": "1", "name": "One", "track_number": 9}
    assert [t.track_number for t in read(tracks={"items": [one, again, one]}).tracks] == [1, 9]
    local = {"id": None, "name": "Local"}
    assert len(read(tracks={"items": [local, local]}).tracks) == 2


@pytest.mark.parametrize("odd", [None, [], {}, "x", 7, [None], ["x"], [[]], {"x": None}, True])
def test_no_field_of_another_kind_than_it_should_be_breaks_an_album(odd: object) -> None:
    fields = ("release_date", "label", "popularity", "external_ids", "external_urls", "genres", "copyrights", "images")
    item = {"id": "1", "name": "Song"}
    names = ("artists", "disc_number", "track_number", "duration_ms", "explicit", "linked_from", "is_local")
    payload = {
        "album": {**BARE, **dict.fromkeys(fields, odd), "tracks": {"items": [odd, item | dict.fromkeys(names, odd)]}},
        "tracks": [odd, {"id": "1", "external_ids": odd, "popularity": odd}],
        "audio_features": [odd, {"id": "1", "tempo": odd if odd != 7 else None}],
        "artist": {"genres": odd} if odd else odd,
    }
    (track,) = read_album(payload).tracks
    assert (track.title, track.isrc, track.audio_features) == ("Song", None, {})


def test_an_album_whose_artists_have_no_names_has_none() -> None:
    with pytest.raises(MalformedReplyError, match="artists with names"):
        read(artists=[{"id": "x", "name": ""}, None])
