"""Last.fm's translation of XML to JSON, with the quirks it is known for."""

from __future__ import annotations

from typing import Any

import pytest

from backend.ingestion.lastfm_wire import listed, name_of, number, rank_of, read_album, read_tags
from backend.utils.errors import MalformedReplyError

NONE: dict[str, Any] = {"toptags": ""}


@pytest.mark.parametrize(
    ("container", "items"),
    [
        ({"tag": [{"name": "a"}, {"name": "b"}]}, 2), ({"tag": {"name": "a"}}, 1), ({"tag": []}, 0), ({"tag": ""}, 0),
        ("", 0), ("\n", 0), (None, 0), ({}, 0), ({"#text": "\n", "artist": "x"}, 0), ({"tag": ["odd", {"name": "a"}, None]}, 1),
    ],
)  # fmt: skip
def test_containers(container: object, items: int) -> None:
    assert len(listed(container, "tag")) == items


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12", 12), (12, 12), ("12.0", 12), (0, 0), ("0", 0), ("", None), (None, None), ("FIXME", None),
        ("nan", None), ("inf", None), ([], None)],
)  # fmt: skip
def test_numbers(value: object, expected: int | None) -> None:
    assert number(value) == expected


def test_names_and_ranks() -> None:
    artists: list[object] = ["A", {"name": "B"}, {"#text": "C", "mbid": ""}, "", None, 3]
    assert [name_of(artist) for artist in artists] == ["A", "B", "C", *[""] * 3]
    rows: list[dict[str, object]] = [{"@attr": {"rank": "7"}}, {"@attr": {}}, {"@attr": ""}, {}]
    assert [rank_of(row) for row in rows] == [7, None, None, None]


@pytest.mark.parametrize("root", ["toptags", "tags"])
def test_both_roots_of_tags(root: str) -> None:
    tags = read_tags(
        {root: {"tag": [{"name": "rock", "count": 100}, {"name": " pop ", "count": "7"}, {"name": "", "count": 5}]}},
        "track",
    )
    assert [(t.name, t.weight, t.level) for t in tags] == [("rock", 1.0, "track"), ("pop", 0.07, "track")]


def test_weights_stay_above_nothing_and_below_all() -> None:
    tags = read_tags({"toptags": {"tag": [{"name": "a", "count": 0}, {"name": "b", "count": 500}]}}, "album")
    assert [t.weight for t in tags] == [0.01, 1.0]


def test_tags_without_counts_fall() -> None:
    weights = [t.weight for t in read_tags({"tags": {"tag": [{"name": str(n)} for n in range(80)]}}, "album")]
    assert weights == sorted(weights, reverse=True)
    assert min(weights) > 0


@pytest.mark.parametrize("reply", [{}, {"error": 6}, None, "", []])
def test_tags_without_a_root_are_malformed(reply: object) -> None:
    with pytest.raises(MalformedReplyError, match="toptags"):
        read_tags(reply, "track")


@pytest.mark.parametrize(
    ("duration", "expected"), [("308", 308_000), (308, 308_000), ("0", None), (None, None), ("", None)]
)
def test_durations_are_seconds(duration: object, expected: int | None) -> None:
    album = {"name": "A", "artist": {"name": "B"}, "tracks": {"track": {"name": "One", "duration": duration}}}
    asked = [{"title": "ONE", "disc": 2, "number": 5, "tags": NONE}]
    record = read_album({"album": album, "album_tags": NONE, "artist_tags": NONE, "tracks": asked})
    (track,) = record.tracks
    assert (track.duration_ms, track.disc_number, track.track_number) == (expected, 2, 5)
    assert record.artist == "B"


@pytest.mark.parametrize("album", [None, "", {}, {"name": "A"}, {"artist": "B"}, {"name": "A", "artist": {}}])
def test_an_album_without_names_is_malformed(album: object) -> None:
    with pytest.raises(MalformedReplyError, match="no name or no artist"):
        read_album({"album": album, "album_tags": NONE, "artist_tags": NONE})


def test_a_text_of_white_space_is_an_empty_list() -> None:
    """As artist.getTags answers for an artist without tags."""
    assert read_tags({"tags": {"#text": "\n", "artist": "Hot Chip"}}, "artist") == []


@pytest.mark.parametrize(("duration", "expected"), [("308000", 308_000), ("0", None), (None, None), ("", None)])
def test_durations_of_a_tracks_own_entry_are_milliseconds(duration: object, expected: int | None) -> None:
    album = {"name": "A", "artist": "B", "tracks": {"track": {"name": "One", "duration": None}}}
    info = {"name": "One", "duration": duration, "listeners": "5000000", "artist": {"name": "B!"}}
    asked = [{"title": "One", "disc": 1, "number": 1, "tags": NONE, "info": info}]
    (track,) = read_album({"album": album, "album_tags": NONE, "artist_tags": NONE, "tracks": asked}).tracks
    assert (track.duration_ms, track.listeners, track.popularity, track.artists) == (expected, 5_000_000, 100, ("B!",))
