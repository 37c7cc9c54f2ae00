"""The shipped facts hold together: nothing missing, doubled, out of order or impossible."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date

import pytest

from backend.demo import catalogue
from backend.ingestion.vocabulary import Kind, tell
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold, fold_name, squeeze

ALBUMS = catalogue.albums()
each_album = pytest.mark.parametrize("album", ALBUMS, ids=lambda a: f"{a.artist} - {a.title}")


def test_is_large_and_wide_enough() -> None:
    decades = {(album.release_date or "")[:3] for album in ALBUMS}

    assert len(ALBUMS) >= 60
    assert decades == {"195", "196", "197", "198", "199", "200", "201", "202"}


def test_has_the_albums_of_the_readme() -> None:
    names = {(album.title, album.artist) for album in ALBUMS}

    assert names >= {
        ("Abbey Road", "The Beatles"),
        ("Kind of Blue", "Miles Davis"),
        ("OK Computer", "Radiohead"),
        ("To Pimp a Butterfly", "Kendrick Lamar"),
    }


def test_abbey_road_is_read_in_full() -> None:
    album = next(a for a in ALBUMS if a.title == "Abbey Road")

    assert (album.release_date, album.label, len(album.tracks)) == ("1969-09-26", "Apple", 17)
    sixth = album.tracks[5]
    assert (sixth.track_number, sixth.title, sixth.duration_ms) == (6, "I Want You (She's So Heavy)", 467_000)
    assert album.tracks[15].duration_ms is None
    assert [t.name for t in album.tags[:2]] == ["rock", "pop rock"]


def test_discs_are_read() -> None:
    album = next(a for a in ALBUMS if a.title == "The Epic")

    assert [(t.disc_number, t.track_number) for t in album.tracks][5:8] == [(1, 6), (2, 1), (2, 2)]


def test_no_album_is_there_twice() -> None:
    assert Counter((fold_name(a.artist), fold_name(a.title)) for a in ALBUMS).most_common(1)[0][1] == 1


@each_album
def test_dates_are_dates_of_the_time(album: AlbumRecord) -> None:
    released = album.release_date or ""
    assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", released)
    whole = date.fromisoformat(released + "0000-01-01"[len(released) :])
    assert date(1950, 1, 1) < whole < date(2024, 1, 1)


@each_album
def test_tracks_are_numbered_without_gaps(album: AlbumRecord) -> None:
    numbers = defaultdict(list)
    for track in album.tracks:
        numbers[track.disc_number].append(track.track_number)

    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


@each_album
def test_titles_are_clean_and_different(album: AlbumRecord) -> None:
    titles = [t.title for t in album.tracks]

    assert all(title and title == squeeze(title) and "|" not in title for title in titles)
    assert len({fold(title) for title in titles}) == len(titles)
    assert all(t.artists == (album.artist,) for t in album.tracks)


@each_album
def test_durations_are_plausible(album: AlbumRecord) -> None:
    known = [t.duration_ms for t in album.tracks if t.duration_ms is not None]

    assert all(20_000 <= ms <= 40 * 60_000 for ms in known)
    assert sum(known) <= 80 * 60_000 * album.tracks[-1].disc_number


@each_album
def test_tags_are_of_the_vocabulary_in_canonical_spelling(album: AlbumRecord) -> None:
    kinds = [tell(tag.name) for tag in album.tags]
    genres = [word.name for word in kinds if word.kind is Kind.GENRE]
    moods = [word.name for word in kinds if word.kind is Kind.MOOD]

    assert [tag.name for tag in album.tags] == [*genres, *moods]
    assert len(set(genres)) == len(genres)
    assert len(set(moods)) == len(moods)
    assert 2 <= len(genres) <= 5
    assert 2 <= len(moods) <= 6
    # Tags that are the names of album or artist are taken for junk.
    assert not {fold_name(tag.name) for tag in album.tags} & {fold_name(album.title), fold_name(album.artist)}
    assert all(0 < tag.weight <= 1 and tag.level == "album" for tag in album.tags)


def test_a_line_that_is_no_track_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="'Come Together 4:19'"):
        catalogue._album({"title": "x", "artist": "y", "released": "1969", "genres": [], "moods": [],
                          "tracks": "Come Together 4:19"})  # fmt: skip
