from __future__ import annotations

import pytest

from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.naming import Named, match, of_album, of_artist
from backend.utils.errors import NotFoundError
from tests.unit.features.tracks import table

INDEX = DiscoveryIndex.build(
    table(
        [
            {"id": "a", "title": "Come Together - Live", "artist": "The Beatles", "album_id": "x", "popularity": 90},
            {"id": "b", "title": "Come Together", "artist": "The Beatles", "album_id": "y", "popularity": 10},
            {
                "id": "c",
                "title": "Come Together - 2019 Mix",
                "artist": "The Beatles",
                "album_id": "z",
                "popularity": 20,
            },
            {"id": "d", "title": "Hyperballad", "artist": "Björk", "album_id": "w"},
            {"id": "e", "title": "Otis", "artist": "JAY-Z"},
        ]
    )
)


@pytest.mark.parametrize(
    ("artist", "title", "found"),
    [
        ("Beatles, The", "come together", "c"), ("The Beatles", "Come Together (Remastered 2009)", "c"),
        ("the beatles", "Come Together - Live", "a"), ("bjork", "HYPERBALLAD", "d"), ("Björk", "Hyperbalad", "d"),
        ("JAY-Z feat. Kanye West", "Otis (feat. Otis Redding)", "e"), ("Jay Z & Kanye West", "Otis", "e"),
    ],
)  # fmt: skip
def test_names_are_found_in_whatever_spelling(artist: str, title: str, found: str) -> None:
    got = match(INDEX, [Named(artist=artist, title=title)])
    assert not got.unmatched
    assert INDEX.rows.names(got.rows) == [found]


def test_what_is_not_there_is_told_with_its_place_and_the_nearest() -> None:
    got = match(
        INDEX,
        [
            Named(id="d"), Named(id="nothing"), Named(artist="Bjork", title="Joga"), Named(artist="The Beetles", title="Help"),
            Named(id="d"), Named(artist="Björk", title="Hyperballad"),
        ],
    )  # fmt: skip
    assert INDEX.rows.names(got.rows) == ["d"]
    assert [(u.place, u.name) for u in got.unmatched] == [
        (1, "nothing"),
        (2, "Bjork – Joga"),
        (3, "The Beetles – Help"),
    ]
    assert "'Hyperballad'" in got.unmatched[1].why
    assert "'The Beatles'" in got.unmatched[2].why


def test_albums_and_artists_give_all_their_tracks() -> None:
    assert INDEX.rows.names(of_artist(INDEX, "beatles")) == ["a", "b", "c"]
    assert INDEX.rows.names(of_album(INDEX, "w")) == ["d"]
    with pytest.raises(NotFoundError, match="'Björk'"):
        of_artist(INDEX, "Bjørkk")
    with pytest.raises(NotFoundError, match="no such album"):
        of_album(INDEX, "no such album")


def test_tracks_that_are_gone_are_not_found() -> None:
    gone = INDEX.changed(INDEX.rows.table.slice(0, 0), removed=["d"])
    assert match(gone, [Named(artist="Björk", title="Hyperballad")]).rows == []
    with pytest.raises(NotFoundError):
        of_artist(gone, "Björk")
