"""Album of the Year's pages: JSON-LD first, CSS second, and loud when the layout is another."""

from __future__ import annotations

import re

import pytest

from backend.ingestion.aoty_page import PARSER_VERSION, LayoutChangedError, read_page, read_search
from backend.utils.errors import TransientError
from tests.fakes.aoty import SITE, page, path, search
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
        (page(HARBOUR).replace("detailRow", "infoRow"), r"details \(\.albumTopBox\.info \.detailRow\)"),
        (page(HARBOUR).replace('"albumCriticScore"', '"x"'), r"score in its box \(\.albumCriticScore\)"),
        (page(HARBOUR).replace("numReviews", "x"), r"number of ratings \(\.albumUserScoreBox"),
        (page(HARBOUR).replace("trackTitle", "x"), r"tracks \(#tracklist"),
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


def test_the_parsers_version_has_a_place_of_its_own() -> None:
    album = read_page(page(HARBOUR))
    assert (album.parser, album.match_method) == (PARSER_VERSION, "page")


def test_featured_artists_stand_after_the_albums() -> None:
    featured = (
        '<div class="featuredArtists"> feat. <a href="/artist/9-ada/">Ada</a>, <a href="/artist/8-b/">Bo</a></div>'
    )
    html = page(HARBOUR).replace('<div class="length">', f'{featured}<div class="length">', 1)
    one, other, *_ = read_page(html).tracks
    assert (one.title, one.artists) == ("Tide", (ARTIST, "Ada", "Bo"))
    assert other.artists == ()


def test_a_page_as_browsers_save_it_says_the_same() -> None:
    """With every address made whole, a comment before it, and other line ends."""
    saved = re.sub(r'(href|src)="?/', rf'\1="{SITE}/', page(HARBOUR)).replace(
        '<a href="' + SITE + "/1987/releases/>", "<a>"
    )
    saved = f"<!-- saved from url=(0060){SITE}{path(HARBOUR)} -->\r\n" + saved.replace("><", ">\r\n<")
    assert read_page(saved) == read_page(page(HARBOUR))


def test_several_artists_and_entities_in_json_ld() -> None:
    html = page(HARBOUR).replace(
        '{"@type": "MusicGroup", "name": "The Amber Lanterns"}', '[{"name": "A"}, {"name": "B &amp; C"}]'
    )
    assert read_page(html).artist == "A, B & C"


@pytest.mark.parametrize("score", ["101", "1987"])
def test_a_score_past_100_is_none(score: str) -> None:
    album = read_page(page(HARBOUR, critic=score, user=score).replace(">51<", f">{score}<"))
    assert (album.critic_score, album.user_score, album.tracks[0].rating) == (None, None, None)


def test_what_a_saved_challenge_is() -> None:
    with pytest.raises(LayoutChangedError, match="challenge"):
        read_page("<html><head><title>Just a moment...</title></head></html>")
