"""Are two records the same album? Identifiers first, then names, years, track lists and durations, each by name and weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion.judge import SAME, judge, verify
from backend.models.ingestion_models import AlbumRecord, TrackRecord
from backend.utils.errors import RecordNotFoundError


def tracks(*titles: str, seconds: Sequence[int] = (), **more: Any) -> tuple[TrackRecord, ...]:
    lengths = seconds or [200 + 7 * n for n in range(len(titles))]
    return tuple(
        TrackRecord(title=t, track_number=n, duration_ms=s * 1000, **more)
        for n, (t, s) in enumerate(zip(titles, lengths, strict=True), 1)
    )


def album(title: str, artist: str = "Simon & Garfunkel", year: int | None = None, **more: Any) -> AlbumRecord:
    date = str(year) if year else None
    return AlbumRecord(title=title, artist=artist, release_date=date, **more)


SONGS = ("Bookends Theme", "Save the Life of My Child", "America", "Overs", "Voices of Old People", "Old Friends")
OTHERS = ("Sounds of Silence", "Leaves That Are Green", "Blessed", "Kathy's Song", "Somewhere", "Anji")


# -- identifiers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "found", "method"),
    [
        ({"ids": {"spotify": "s"}}, {"ids": {"spotify": "s", "deezer": "d"}}, "id"),
        ({"ids": {"musicbrainz": "m"}}, {"ids": {"musicbrainz": "m"}}, "mbid"),
        ({"upc": "0602445790128"}, {"upc": "602445790128"}, "upc"),
        (
            {"tracks": tuple(TrackRecord(title=t, isrc=f"GBAYE060169{n}") for n, t in enumerate("abcd"))},
            {"tracks": tuple(TrackRecord(title=t, isrc=f"gb-aye-06-0169{n}") for n, t in enumerate("wxyz"))},
            "isrc",
        ),
        (
            {"tracks": tuple(TrackRecord(title=t, ids={"musicbrainz": str(n)}) for n, t in enumerate("abcd"))},
            {"tracks": tuple(TrackRecord(title=t, ids={"musicbrainz": str(n)}) for n, t in enumerate("wxyz"))},
            "mbid",
        ),
    ],
)
def test_an_equal_identifier_settles_it(known: dict[str, Any], found: dict[str, Any], method: str) -> None:
    said = judge(album("Bookends", **known), album("Something else", "Somebody", **found))
    assert (said.score, said.penalties, said.method) == (1.0, {}, method)


def test_another_identifier_says_nothing() -> None:
    known = album("Bookends", upc="602445790128", ids={"spotify": "a"}, tracks=tracks(*SONGS, isrc="GBAYE0601690"))
    found = album("Bookends", upc="602445790999", ids={"spotify": "b"}, tracks=tracks(*SONGS, isrc="GBAYE0601691"))
    said = judge(known, found)
    assert (said.score, said.method) == (1.0, "name")


def test_recordings_on_a_sampler_are_no_proof() -> None:
    own = tuple(TrackRecord(title=f"song {n}", isrc=f"GBAYE06016{n:02}") for n in range(12))
    best_of = tuple(TrackRecord(title=f"hit {n}", isrc=f"GBAYE07016{n:02}") for n in range(9))
    assert not judge(album("Bookends", tracks=own), album("Greatest Hits", tracks=(*own[:3], *best_of))).same
    assert not judge(album("Bookends", tracks=own), album("Greatest Hits", tracks=(*own[:4], *best_of[:6]))).same
    assert not judge(album("Bookends", tracks=own), album("Mrs. Robinson", tracks=own[:1])).same
    box = tuple(TrackRecord(title=f"more {n}", isrc=f"GBAYE08016{n:02}") for n in range(60))
    assert not judge(album("Bookends", tracks=own), album("The Complete Albums", tracks=(*own, *box))).same
    assert judge(album("Bookends", tracks=own), album("Bookends", tracks=own[:8])).method == "isrc"


def test_empty_identifiers_are_none() -> None:
    one = album("Bookends", ids={"spotify": ""}, upc="")
    assert not judge(one, album("Abraxas", "Santana", ids={"spotify": ""}, upc="")).same


# -- names, years, counts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Bookends", "Simon & Garfunkel", 1968), ("Bookends (Remastered)", "Simon and Garfunkel", 2001)),
        (("Weezer (Blue Album)", "Weezer", 1994), ("Weezer", "Weezer", 1994)),
        (("Blue Album", "Weezer", 1994), ("Weezer (Blue Album)", "Weezer", 1994)),
        (("s/t", "Blur", 1997), ("Blur", "Blur", 1997)),
        (("Queen I", "Queen", None), ("Queen", "Queen", 1973)),
        (("Submarine", "Alex Turner", 2011), ("Submarine: Original Songs", "Alex Turner", 2011)),
        (("Alice Cooper Goes to Hell", "Alice Cooper", 1976), ("Goes To Hell", "Alice Cooper", 1976)),
        (("Something Else by The Kinks", "The Kinks", None), ("Something Else", "The Kinks", None)),
        (("Document", "R.E.M.", None), ("Document (R.E.M. No. 5)", "R.E.M.", None)),
        (("Exile on Main St.", "The Rolling Stones", None), ("Exile On Main Street", "The Rolling Stones", None)),
        (("This Is War", "30 Seconds to Mars", None), ("This Is War", "Thirty Seconds To Mars", None)),
        (("PiÃ±ata", "Freddie Gibbs", None), ("Piñata", "Freddie Gibbs & Madlib", None)),
        (("Группа крови", "Кино", None), ("Gruppa Krovi", "Kino", None)),
        (("화양연화 The Most Beautiful Moment", "BTS", None), ("The Most Beautiful Moment", "방탄소년단 BTS", None)),
        (("×", "Ed Sheeran", None), ("x", "Ed Sheeran", None)),
        (("Divide", "Ed Sheeran", None), ("÷", "Ed Sheeran", None)),
        (("Hot Pink", "Doja Cat", None), ("Hot Pink (Japan Version)", "Doja Cat", None)),
        (("無罪モラトリアム", "椎名林檎", None), ("無罪モラトリアム [限定盤]", "椎名林檎", None)),
        (("House of Gold & Bones, Part 1", "Stone Sour", None), ("House of Gold + Bones Pt. One", "Stone Sour", None)),
        (
            ("Symphony No. 5 in C minor, Op. 67", "Ludwig van Beethoven, Carlos Kleiber, Wiener Philharmoniker", None),
            ("Beethoven: Symphonie Nr. 5 c-moll op. 67", "Wiener Philharmoniker, Carlos Kleiber", None),
        ),
        (
            ("Goldberg Variations, BWV 988", "Glenn Gould", None),
            ("Bach: Goldberg-Variationen BWV 988", "Glenn Gould", None),
        ),
        (("Requiem", "Mozart", None), ("Requiem in D minor, K. 626", "Wolfgang Amadeus Mozart", None)),
        (("Piano Concerto No. 2", "Rachmaninov", None), ("Piano Concerto No.2, Op.18", "Sergei Rachmaninoff", None)),
        (("The Four Seasons", "Vivaldi", None), ("Vivaldi: The Four Seasons", "Antonio Vivaldi", None)),
        (("IV", "Led Zeppelin", None), ("Led Zeppelin IV", "Led Zeppelin", None)),
        (("Pulp Fiction", "Various Artists", None), ("Pulp Fiction (Soundtrack)", "Original Soundtrack", None)),
        (("Thriller", "Michael Jackson", 1982), ("Thriller 25 Super Deluxe Edition", "Michael Jackson", 2008)),
        (("Thriller", "Michael Jackson", 1982), ("Thriller 40", "Michael Jackson", 2022)),
        (("Bad", "Michael Jackson", 1987), ("Bad 25th Anniversary", "Michael Jackson", 2012)),
        (("Born This Way", "Lady Gaga", 2011), ("Born This Way The Tenth Anniversary", "Lady Gaga", 2021)),
        (("Substance", "New Order", 1987), ("Substance 1987", "New Order", 1987)),
        (("DAMN.", "Kendrick Lamar", 2017), ("DAMN. COLLECTORS EDITION.", "Kendrick Lamar", 2017)),
        (("Lodger", "David Bowie", 1979), ("Lodger (2017 Tony Visconti Mix)", "David Bowie", 2017)),
        (("Melody Nelson", "Serge Gainsbourg", 1971), ("Melody Nelson (40ème anniversaire)", "Serge Gainsbourg", 2011)),
        (
            ("Interstellar", "Hans Zimmer", 2014),
            ("Interstellar (Original Motion Picture Soundtrack) [Deluxe Version]", "Hans Zimmer", 2020),
        ),
        (("The 2nd Law", "Muse", 2012), ("The Second Law", "Muse", 2012)),
        (("thank u, next", "Ariana Grande", 2019), ("Thank You, Next", "Ariana Grande", 2019)),
        (("Bon Iver, Bon Iver", "Bon Iver", 2011), ("Bon Iver", "Bon Iver", 2011)),
    ],
)
def test_one_album_under_two_names(one: tuple[str, str, int | None], other: tuple[str, str, int | None]) -> None:
    assert judge(album(*one), album(*other)).same
    assert judge(album(*other), album(*one)).same


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (("Weezer (Green Album)", "Weezer", 2001), ("Weezer", "Weezer", 1994), "year_of_common_title"),
        (("Peter Gabriel", "Peter Gabriel", 1977), ("Peter Gabriel", "Peter Gabriel", 1980), "year_of_common_title"),
        (("Get Rich", "50 Cent", 2003), ("Get Rich (Original Soundtrack)", "50 Cent", 2005), "soundtrack"),
        (
            ("folklore", "Taylor Swift", 2020),
            ("folklore: the long pond studio sessions", "Taylor Swift", 2020),
            "title",
        ),
        (("Murdered By Music Too", "Eminem", 2020), ("Murdered By Music Too - Side B", "Eminem", 2020), "title"),
        (("Good Girl Gone Bad", "Rihanna", None), ("Good Girl Gone Bad: The Remixes", "Rihanna", None), "title"),
        (("TRON: Legacy", "Daft Punk", 2010), ("TRON: Legacy Reconfigured", "Daft Punk", 2011), "title"),
        (("Parklife", "Blur", 1994), ("Parklive", "Blur", 2012), "year_of_common_title"),
        (("Thriller", "Michael Jackson", 1982), ("Thriller 40", "Michael Jackson", 1985), "title"),
        (("Currents", "Tame Impala", 2015), ("Currents (Studio Sessions)", "Tame Impala", 2015), "performance"),
        (
            ("Bach: The Goldberg Variations (1955)", "Glenn Gould", 1956),
            ("Bach: The Goldberg Variations (1981)", "Glenn Gould", 1982),
            "performance",
        ),
        (("Pink Friday", "Nicki Minaj", 2010), ("Pink Friday: Roman Reloaded", "Nicki Minaj", 2012), "subtitle"),
        (("Pink Friday", "Nicki Minaj", None), ("Pink Friday: Roman Reloaded", "Nicki Minaj", None), "subtitle"),
        (("Sugar", "Robin Schulz", 2015), ("Sugar (feat. Francesco Yates)", "Robin Schulz", 2015), "single"),
        (("Positions", "Ariana Grande", 2020), ("Positions - Single", "Ariana Grande", 2020), "single"),
        (("Circus", "Britney Spears", None), ("Circus - Remix EP", "Britney Spears", None), "performance"),
        (("Fearless", "Taylor Swift", None), ("Fearless (Taylor's Version)", "Taylor Swift", None), "performance"),
        (("Thriller", "Michael Jackson", None), ("Thriller", "Michael Jackson Tribute Band", None), "artist"),
        (("Greatest Hits", "Queen", None), ("Greatest Hits", "Various Artists", None), "artist"),
        (("Greatest Hits", "Earth", None), ("Greatest Hits", "Earth, Wind & Fire", None), "artist"),
        (("Love Yourself: Tear", "BTS", None), ("Love Yourself: Her", "BTS", None), "title"),
        (("Illmatic", "Nas", None), ("Stillmatic", "Nas", None), "title"),
        (("さくら", "森山直太朗", None), ("さくや", "森山直太朗", None), "title"),
        (("사랑", "아이유", None), ("사람", "아이유", None), "title"),
        (("Звёзды", "Кино", None), ("Звезда", "Кино", None), "title"),
        (("Volume 1", "She & Him", None), ("Vol. Two", "She & Him", None), "title"),
        (("I Used to Know Her: Part 2", "H.E.R.", 2018), ("I Used to Know Her", "H.E.R.", 2019), "title"),
        (("Symphony No. 5 in C minor", "Beethoven", None), ("Symphony No. 7 in A major", "Beethoven", None), "title"),
        (("Verdi: Requiem", "Karajan", None), ("Mozart: Requiem", "Karajan", None), "title"),
        (("Piano Concerto No. 5", "Beethoven", None), ("Violin Concerto No. 5", "Beethoven", None), "title"),
        (("Piano Concerto No. 5", "Beethoven", None), ("Piano Sonata No. 5", "Beethoven", None), "title"),
        (
            ("Piano Concerto No. 1, Op. 15", "Beethoven", None),
            ("Piano Concerto No. 1, Op. 16", "Beethoven", None),
            "title",
        ),
        (("The Wall", "Pink Floyd", None), ("The Wall", "The Australian Pink Floyd Show", None), "artist"),
        (("Fearless", "Taylor Swift", None), ("Fearless (TV)", "Taylor Swift", None), "performance"),
        (("Halcyon", "Ellie Goulding", None), ("Halcyon On", "Ellie Goulding", None), "title"),
        (
            ("Symphony No. 5, Op. 67", "Beethoven, Karajan, Berliner Philharmoniker", None),
            ("Symphony No. 5, Op. 67", "Beethoven, Kleiber, Wiener Philharmoniker", None),
            "artist",
        ),
    ],
)
def test_two_albums_of_like_names(
    one: tuple[str, str, int | None], other: tuple[str, str, int | None], reason: str
) -> None:
    said = judge(album(*one), album(*other))
    assert not said.same
    assert reason in said.penalties
    assert not judge(album(*other), album(*one)).same


# -- track lists -----------------------------------------------------------------------------------


def test_agreeing_track_lists_outweigh_names() -> None:
    known = album("Buch der Freunde", tracks=tracks(*SONGS))
    assert judge(known, album("Bookends", tracks=tracks(*SONGS))).same
    assert not judge(known, album("Bookends")).same
    foreign = tuple(replace(t, title=f"曲{'一二三四五六'[n]}") for n, t in enumerate(tracks(*SONGS)))
    assert judge(known, album("Bookends", tracks=foreign)).same  # in step, second by second


def test_other_songs_make_another_album() -> None:
    said = judge(album("Simon & Garfunkel", tracks=tracks(*SONGS)), album("Simon & Garfunkel", tracks=tracks(*OTHERS)))
    assert not said.same
    assert said.penalties["track_titles"] == pytest.approx(1.0)


def test_other_durations_make_another_recording_of_it() -> None:
    slower = tracks(*SONGS, seconds=[230 + 11 * n for n in range(6)])
    said = judge(album("Bookends", tracks=tracks(*SONGS)), album("Bookends", tracks=slower))
    assert not said.same
    assert said.penalties["durations"] > 0.5


def test_a_longer_edition_is_the_same_album() -> None:
    longer = tracks(*SONGS, *OTHERS[:3])
    assert judge(album("Bookends", tracks=tracks(*SONGS)), album("Bookends (Deluxe)", tracks=longer)).same


def test_a_single_is_not_the_album() -> None:
    known = album("America", tracks=tracks(*SONGS))
    said = judge(known, album("America", tracks=tracks("America")))
    assert not said.same
    assert "single" in said.penalties


def test_self_titled_albums_of_two_years_are_told_by_their_songs() -> None:
    one = album("Simon & Garfunkel", year=1968, tracks=tracks(*SONGS))
    assert judge(one, replace(one, release_date="2018")).same
    assert not judge(one, album("Simon & Garfunkel", year=2018)).same


RECORDS = st.builds(
    AlbumRecord,
    title=st.sampled_from(
        ["Red", "Red (Live)", "Reds", "Weezer", "Weezer (Blue Album)", "Blue: Part 2", "Op. 5", "÷", "赤", ""]
    ),
    artist=st.sampled_from(["Weezer", "Weezer & Co", "Various Artists", "Кино", "Kino", ""]),
    release_date=st.none() | st.sampled_from(["1994", "1995-02", "2020-01-01", "0000"]),
    tracks=st.sampled_from([(), tracks(*SONGS), tracks(*OTHERS), tracks("Red")]),
)


@given(RECORDS, RECORDS)
def test_penalties_explain_the_score(one: AlbumRecord, other: AlbumRecord) -> None:
    said = judge(one, other)
    assert 0.0 <= said.score <= 1.0
    assert all(p > 0 for p in said.penalties.values())
    assert sum(said.penalties.values()) == pytest.approx(1.0 - said.score, abs=1e-6)
    assert judge(other, one).same == said.same
    assert judge(one, one).score == 1.0


# -- verify ----------------------------------------------------------------------------------------


def test_a_verified_record_says_how_it_matched() -> None:
    known = album("Bookends", ids={"spotify": "s"})
    found = verify(known, album("Bookends (Remastered)"))
    assert found.match_method == "name"
    assert found.match_score == pytest.approx(1.0 - sum(found.match_penalties.values()))
    assert set(found.match_penalties) == {"edition"}
    by_id = verify(known, album("Lesezeichen", ids={"spotify": "s"}, match_method="name", match_score=0.6))
    assert (by_id.match_method, by_id.match_score, by_id.match_penalties) == ("id", 1.0, {})


@pytest.mark.parametrize("method", ["id", "upc", "mbid", "link", "page", "artist"])
def test_what_was_led_to_by_more_than_names_is_not_judged_by_names(method: str) -> None:
    found = album("Anything", "Anybody", match_method=method, match_score=0.7)
    assert verify(album("Bookends"), found) == found


def test_another_album_is_refused_with_its_candidate() -> None:
    found = album("Abraxas", "Santana", 1970, ids={"deezer": "123"}, url="https://deezer/123", tracks=tracks(*OTHERS))
    with pytest.raises(RecordNotFoundError, match="'Abraxas' by 'Santana' is another album than 'Bookends'") as refused:
        verify(album("Bookends"), found, source="deezer", hint="deezer_id")
    (candidate,) = refused.value.candidates
    assert (candidate.source, candidate.hint, candidate.id) == ("deezer", "deezer_id", "123")
    assert (candidate.title, candidate.artist, candidate.year, candidate.total_tracks) == (
        "Abraxas",
        "Santana",
        1970,
        6,
    )
    assert candidate.score < SAME
    assert sum(candidate.penalties.values()) == pytest.approx(1.0 - candidate.score)
    with pytest.raises(RecordNotFoundError) as by_page:
        verify(album("Bookends"), found, source="aoty", hint="aoty_url")
    assert by_page.value.candidates[0].id == "https://deezer/123"


def test_live_in_a_title_says_nothing_when_the_lists_run_alike() -> None:
    songs, lengths = (*SONGS, *OTHERS[:3]), [212, 187, 305, 241, 199, 268, 154, 333, 226]
    plain = album("At the Harbour", year=1981, tracks=tracks(*songs, seconds=lengths))
    named = tracks(*(f"{s} - Live" for s in songs), seconds=lengths)
    assert judge(plain, album("At the Harbour (Live)", year=1981, tracks=named)).same
    others = tracks(*(f"{s} - Live" for s in songs), seconds=[s + 31 - 9 * n for n, s in enumerate(lengths)])
    assert not judge(plain, album("At the Harbour (Live)", year=1981, tracks=others)).same
    sung = tracks(*(f"{s} - Karaoke Version" for s in songs), seconds=lengths)
    assert not judge(plain, album("At the Harbour (Karaoke)", year=1981, tracks=sung)).same
