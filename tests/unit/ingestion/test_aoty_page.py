"""Album of the Year's pages: JSON-LD first, CSS second, and loud when the layout is another."""

from __future__ import annotations

import re

import pytest

from backend.ingestion.aoty_page import LayoutChangedError, read_page, read_search
from backend.utils.errors import TransientError
from tests.fakes.aoty import page, path, search
from tests.fakes.music import ARTIST, DELUXE, HARBOUR, SIXTY


def test_a_whole_page() -> None:
    album = read_page(page(HARBOUR))
    assert (album.title, album.artist, album.release_date, album.label) == (
        HARBOUR.title,
        ARTIST,
        "1987-10",
        "Quayside",
    )
    assert (album.critic_score, album.critic_count, album.user_score, album.user_count) == (81.25, 24, 74.5, 12489)
    assert [(t.name, t.weight) for t in album.tags] == [
        ("Harbour Folk", 1.0), ("Chamber Pop", 1.0), ("Slowcore", 0.6), ("calm", 0.5),
    ]  # fmt: skip
    assert [(t.title, t.disc_number, t.track_number, t.duration_ms, t.rating) for t in album.tracks] == [
        (s.title, s.disc, s.number, s.seconds * 1000, 50 + s.number) for s in HARBOUR.songs
    ]
    assert album.ids == {"aoty": "1", "spotify": HARBOUR.id}


def test_without_json_ld() -> None:
    album = read_page(page(DELUXE, linked=False))
    assert (album.title, album.artist) == (DELUXE.title, ARTIST)
    assert album.release_date == "1987-10-05"  # the details' row
    assert album.ids["aoty"] == "2"
    assert [t.name for t in album.tags] == ["Harbour Folk", "Chamber Pop", "Slowcore", "calm"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [("January 16, 2026", "2026-01-16"), ("January 2026", "2026-01"), ("2026", "2026"), ("sometime", None), ("", None)],
)
def test_dates_of_the_details(row: str, expected: str | None) -> None:
    html = re.sub(
        r'<a href="/1987/releases/october-01/">.*?<span>', f"{row}<span>", page(HARBOUR, linked=False), count=1
    )
    assert read_page(html).release_date == expected


def test_unrated_is_none() -> None:
    album = read_page(page(HARBOUR, critic="NR", user="NR"))
    assert (album.critic_score, album.critic_count, album.user_score, album.user_count) == (None,) * 4


def test_a_score_of_0_is_none_and_the_critics_stands_in_json_ld_too() -> None:
    rating = '"aggregateRating": {"ratingValue": "77", "ratingCount": 9}, "name"'
    html = page(HARBOUR, critic="0", user="0").replace('"name"', rating, 1)
    html = html.replace("<strong>24</strong>", "")
    album = read_page(html)
    assert (album.critic_score, album.critic_count) == (77.0, 9)
    assert (album.user_score, album.user_count) == (None, None)


def test_broken_json_ld_is_passed_over() -> None:
    html = page(HARBOUR).replace('{"@context"', '{"@context', 1)
    assert read_page(html).title == HARBOUR.title


def test_one_genre_comes_bare() -> None:
    html = page(HARBOUR).replace('["Harbour Folk", "Chamber Pop"]', '"Sea Shanty"')
    assert "Sea Shanty" in [t.name for t in read_page(html).tags]


@pytest.mark.parametrize(
    ("html", "missing"),
    [
        ("", "score boxes"),
        ("<html><body>New!</body></html>", "album's name"),
        (page(HARBOUR).replace("ScoreBox", "Panel"), "score boxes"),
        (re.sub(r"/album/\d+", "/record/", page(HARBOUR)), "album's number"),
        (page(HARBOUR, linked=False).replace("og:title", "og:name"), "artist's name"),
    ],
)
def test_what_is_missing_is_named(html: str, missing: str) -> None:
    with pytest.raises(LayoutChangedError, match=missing) as found:
        read_page(html)
    assert not isinstance(found.value, TransientError)  # asking again changes nothing


def test_names_of_any_script_without_a_charset() -> None:
    html = page(HARBOUR).replace(HARBOUR.title, "紙の港 – Ñandú")
    assert read_page(html).title == "紙の港 – Ñandú"


def test_a_page_without_tracks_or_links() -> None:
    html = page(HARBOUR).replace('id="tracklist"', "").replace("open.spotify.com", "elsewhere.invalid")
    album = read_page(html)
    assert album.tracks == ()
    assert album.ids == {"aoty": "1"}


def test_hours_of_music() -> None:
    html = page(HARBOUR).replace("1:47", "1:02:03")
    assert read_page(html).tracks[0].duration_ms == 3_723_000


def test_cards_of_a_search() -> None:
    found = read_search(search("paper harbour"))
    assert [(c.id, c.title, c.artist, c.year) for c in found][:2] == [
        (path(HARBOUR), HARBOUR.title, ARTIST, 1987),
        (path(DELUXE), DELUXE.title, ARTIST, 2017),
    ]
    assert read_search(search("zzz")) == []
    assert read_search('<div class="albumBlock"><a href="/artist/1-x/"></a></div>') == []


def test_sixty_tracks() -> None:
    assert len(read_page(page(SIXTY)).tracks) == 60
