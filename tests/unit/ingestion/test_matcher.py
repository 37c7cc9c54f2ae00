"""Which album is meant, and which tracks are the same."""

from __future__ import annotations

import doctest
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion import alignment, distance, titles
from backend.ingestion.matcher import Candidate, Match, align, choose, title_key
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, TrackRecord
from backend.utils.errors import AmbiguousError, RecordNotFoundError


def pick(album: str, artist: str, *offered: tuple[str, str]) -> Match:
    candidates = [Candidate(str(place), by, title) for place, (title, by) in enumerate(offered)]
    return choose(AlbumQuery(album=album, artist=artist), candidates)


def title_of(album: str, artist: str, *titles_offered: str) -> str:
    return pick(album, artist, *((t, artist) for t in titles_offered)).candidate.title


@pytest.mark.parametrize("module", [titles, distance, alignment])
def test_examples_in_the_modules(module: object) -> None:
    tried = doctest.testmod(module)  # type: ignore[arg-type]  # a module; typeshed wants ModuleType of object
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize(
    ("album", "artist", "offered_title", "offered_artist"),
    [
        ("abbey road", "beatles", "Abbey Road", "The Beatles"),
        ("Ágætis byrjun", "Sigur Rós", "Agaetis Byrjun", "Sigur Ros"),
        ("Bookends", "Simon and Garfunkel", "Bookends", "Simon & Garfunkel"),
        ("Lungs", "Florence and the Machine", "Lungs", "Florence + The Machine"),
        ("Appetite for Destruction", "Guns and Roses", "Appetite for Destruction", "Guns N' Roses"),
        ("Звезда по имени Солнце", "кино", "Звезда по имени Солнце", "Кино"),
        ("÷", "Ed Sheeran", "÷", "Ed Sheeran"),
        ("( )", "Sigur Rós", "()", "Sigur Rós"),
        ("1989", "Taylor Swift", "1989", "Taylor Swift"),
        ("LONG.LIVE.A$AP", "ASAP Rocky", "Long Live ASAP", "A$AP Rocky"),
        ("Eternal Grey", "uicideboy", "Eternal Grey", "$uicideboy$"),
        ("GUTS spilled", "Olivia Rodrigo", "GUTS (spilled)", "Olivia Rodrigo"),
    ],
)
def test_spellings_of_one_name_are_exact(album: str, artist: str, offered_title: str, offered_artist: str) -> None:
    found = pick(album, artist, (offered_title, offered_artist))
    assert found.score == 1.0
    assert found.penalties == {}


@pytest.mark.parametrize(
    ("album", "artist", "offered_title", "offered_artist", "penalty"),
    [
        ("Abbey Road", "The Beatles", "Abbey Road (Remastered)", "The Beatles", "edition"),
        ("Abbey Road", "The Beatles", "Abbey Road - Remastered 2009", "The Beatles", "edition"),
        ("Abbey Road (Remastered)", "The Beatles", "Abbey Road", "The Beatles", "edition"),
        ("Positions", "Ariana Grande", "Positions (Deluxe Edition)", "Ariana Grande", "edition"),
        ("GUTS", "Olivia Rodrigo", "GUTS (spilled)", "Olivia Rodrigo", "aside"),
        ("Abey Road", "The Beatles", "Abbey Road", "The Beatles", "title"),
        ("Abbey Raod", "The Beatles", "Abbey Road", "The Beatles", "title"),
        ("Th eDark Side of the Moon", "Pink Floyd", "The Dark Side of the Moon", "Pink Floyd", "title"),
        ("Nevermind", "Nirvanna", "Nevermind", "Nirvana", "artist"),
        ("Th Canyon", "The Used", "The Canyon", "The Used", "title"),
        ("Cult of Static", "Stat-cX", "Cult of Static", "Static-X", "artist"),
        ("Live, 4th June 9177", "Bob Marley", "Live, 4th June 1977", "Bob Marley", "title"),
        ("The ig Revival", "Kenny Chesney", "The Big Revival", "Kenny Chesney", "title"),
        ("Bobby Tarantin oII", "Logic", "Bobby Tarantino II", "Logic", "title"),
        ("#7DJ", "Maluma", "#7DJ (7 Días En Jamaica)", "Maluma", "aside"),
        ("Let Love In", "Nick Cave", "Let Love In", "Nick Cave & The Bad Seeds", "artist"),
        ("Are You Experienced", "Jimi Hendrix", "Are You Experienced", "The Jimi Hendrix Experience", "artist"),
        ("Watch the Throne", "Kanye West", "Watch the Throne", "JAY-Z, Kanye West", "artist"),
        ("Pulp Fiction", "Various Artists", "Pulp Fiction", "Original Soundtrack", "artist"),
        ("MTV Unplugged in New York", "Nirvana", "MTV Unplugged In New York (Live)", "Nirvana", "performance"),
    ],
)
def test_near_names_match_and_say_why(
    album: str, artist: str, offered_title: str, offered_artist: str, penalty: str
) -> None:
    found = pick(album, artist, (offered_title, offered_artist))
    assert 0.5 <= found.score < 1.0
    assert penalty in found.penalties
    assert found.score == pytest.approx(1.0 - sum(found.penalties.values()), abs=1e-3)


@pytest.mark.parametrize(
    ("album", "artist", "offered_title", "offered_artist"),
    [
        ("Abbey Road", "The Beatles", "Abbey Road", "Booker T. & the M.G.'s"),
        ("Abbey Road", "The Beatles", "Let It Be", "The Beatles"),
        ("Abbey Road", "The Beatles", "Abbey Road (Live)", "The Beatles"),
        ("Thriller", "Michael Jackson", "Thriller (Karaoke Version)", "Michael Jackson"),
        ("Thriller", "Michael Jackson", "A Tribute to Thriller", "Michael Jackson"),
        ("Discovery", "Daft Punk", "Discovery (Instrumentals)", "Daft Punk"),
        ("Fearless", "Taylor Swift", "Fearless (Taylor's Version)", "Taylor Swift"),
        ("Led Zeppelin II", "Led Zeppelin", "Led Zeppelin III", "Led Zeppelin"),
        ("Chapter One", "X Band", "Chapter Two", "X Band"),
        ("Volume 1", "She & Him", "Volume Two", "She & Him"),
        ("Kid A", "Radiohead", "Kid B", "Radiohead"),
        ("1989", "Taylor Swift", "1988", "Taylor Swift"),
        ("+", "Ed Sheeran", "-", "Ed Sheeran"),
        ("÷ (Deluxe)", "Ed Sheeran", "+ (Deluxe)", "Ed Sheeran"),
        ("Weezer (Blue Album)", "Weezer", "Weezer (Green Album)", "Weezer"),
        ("Artwork", "The Used", "Heartwork", "The Used"),
        ("Animal", "Kesha", "Cannibal", "Kesha"),
        ("Greatest Hits", "Queen", "Greatest Hits", "Queen Latifah"),
        ("Red", "Taylor Swift", "Reds", "Taylor Swift"),
        ("Anything", "Anyone", "", ""),
    ],
)
def test_other_albums_do_not_match(album: str, artist: str, offered_title: str, offered_artist: str) -> None:
    with pytest.raises(RecordNotFoundError):
        pick(album, artist, (offered_title, offered_artist))


def test_the_nearest_is_named_when_none_is_near() -> None:
    with pytest.raises(RecordNotFoundError, match="nearest is 'Let It Be' by 'The Beatles'"):
        pick("Let It Bleed", "The Beatles", ("Some Girls", "The Rolling Stones"), ("Let It Be", "The Beatles"))
    with pytest.raises(RecordNotFoundError, match="no album is offered"):
        pick("Let It Bleed", "The Rolling Stones")


@pytest.mark.parametrize("wanted", ["Positions", "Positions (Deluxe)", "positions (deluxe)", "POSITIONS"])
@pytest.mark.parametrize("turned", [False, True])
def test_an_equal_name_beats_decorated_ones(wanted: str, turned: bool) -> None:
    offered = ["Positions (Deluxe)", "Positions", "Positions (Deluxe Edition)", "Positions (Live)"]
    found = title_of(wanted, "Ariana Grande", *(reversed(offered) if turned else offered))
    assert found.casefold() == wanted.casefold()


def test_an_equal_name_beats_a_bigger_edition() -> None:
    offered = [
        Candidate("a", "Olivia Rodrigo", "GUTS (spilled)", total_tracks=17),
        Candidate("b", "Olivia Rodrigo", "GUTS", total_tracks=12),
    ]
    assert choose(AlbumQuery(album="guts", artist="Olivia Rodrigo"), offered).candidate.id == "b"


def test_of_equal_names_the_one_with_more_tracks_then_the_first() -> None:
    offered = [Candidate(i, "Blur", "Blur", total_tracks=n) for i, n in (("a", 14), ("b", 20), ("c", 20), ("d", None))]
    assert choose(AlbumQuery(album="Blur", artist="Blur"), offered).candidate.id == "b"


def test_what_is_known_already_tells_equal_names_apart() -> None:
    offered = [
        Candidate("new", "Weezer", "Weezer", year=2019, total_tracks=10),
        Candidate("old", "Weezer", "Weezer", year=1994, total_tracks=10),
    ]
    known = AlbumRecord(title="Weezer", artist="Weezer", release_date="1994-05-10")
    found = choose(AlbumQuery(album="Weezer", artist="Weezer", known=known), offered)
    assert found.candidate.id == "old"
    assert choose(AlbumQuery(album="Weezer", artist="Weezer"), offered).candidate.id == "new"


def test_two_albums_equally_near_are_not_guessed_between() -> None:
    with pytest.raises(AmbiguousError, match=r"Blue Album.*Green Album"):
        title_of("Weezer", "Weezer", "Weezer (Blue Album)", "Weezer (Green Album)")
    assert title_of("Weezer", "Weezer", "Weezer (Blue Album)", "Weezer") == "Weezer"


def test_two_editions_of_one_album_are_no_ambiguity() -> None:
    found = title_of("Hozier", "Hozier", "Hozier (Special Edition)", "Hozier (Expanded Edition)")
    assert found.startswith("Hozier (")


def test_typing_errors_do_not_lead_away_from_the_edition() -> None:
    offered = ["Hozier", "Hozier (Special Edition)"]
    assert title_of("Hozier (Specail Edition)", "Hozier", *offered) == "Hozier (Special Edition)"


@given(st.lists(st.sampled_from(["Red", "Red (Deluxe)", "Red (Live)", "Reds", "1989"]), unique=True), st.randoms())
def test_the_order_of_different_candidates_does_not_matter(offered: list[str], rng: random.Random) -> None:
    def outcome(names: list[str]) -> str:
        try:
            return title_of("Red", "Taylor Swift", *names)
        except RecordNotFoundError:
            return "none"

    shuffled = rng.sample(offered, len(offered))
    assert outcome(offered) == outcome(shuffled)


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_exact_name_is_found(album: str, artist: str) -> None:
    assert pick(album, artist, (album, artist)).score == 1.0


# -- what is not taken is kept ---------------------------------------------------------------------


def test_candidates_come_with_the_error_nearest_first() -> None:
    offered = [
        Candidate("far", "Nirvana", "Bleach", year=1989, total_tracks=11),
        Candidate("near", "Nirvana", "Nevermind (Live)", year=1991, total_tracks=12),
        *(Candidate(str(n), "Nirvana", f"Other Songs {n}") for n in range(20)),
    ]
    with pytest.raises(RecordNotFoundError) as refused:
        choose(AlbumQuery(album="Nevermind", artist="Nirvana"), offered, source="deezer", hint="deezer_id")
    shown = refused.value.candidates
    assert len(shown) == 10
    assert [c.score for c in shown] == sorted((c.score for c in shown), reverse=True)
    first = shown[0]
    assert (first.source, first.hint, first.id, first.title) == ("deezer", "deezer_id", "near", "Nevermind (Live)")
    assert (first.artist, first.year, first.total_tracks) == ("Nirvana", 1991, 12)
    assert "performance" in first.penalties
    for c in shown:
        assert sum(c.penalties.values()) == pytest.approx(1.0 - c.score, abs=1e-6)


def test_candidates_come_with_an_ambiguity() -> None:
    with pytest.raises(AmbiguousError) as refused:
        title_of("Weezer", "Weezer", "Weezer (Blue Album)", "Weezer (Green Album)")
    assert [c.title for c in refused.value.candidates] == ["Weezer (Blue Album)", "Weezer (Green Album)"]
    with pytest.raises(RecordNotFoundError) as nothing:
        pick("Weezer", "Weezer")
    assert nothing.value.candidates == ()


def test_known_songs_choose_between_equal_names() -> None:
    known = AlbumRecord(
        title="Weezer",
        artist="Weezer",
        tracks=tuple(tracks("My Name Is Jonas", "No One Else", "Buddy Holly", "Undone")),
    )
    green = tuple(tracks("Don't Let Go", "Photograph", "Hash Pipe", "Island in the Sun"))
    offered = [
        Candidate("green", "Weezer", "Weezer", tracks=green, total_tracks=4),
        Candidate("blue", "Weezer", "Weezer", tracks=known.tracks, total_tracks=4),
    ]
    assert choose(AlbumQuery(album="Weezer", artist="Weezer", known=known), offered).candidate.id == "blue"


def test_an_unrivalled_subtitle_is_taken_from_an_offer() -> None:
    assert title_of("Suicide Squad", "DC", "Suicide Squad: The Album").startswith("Suicide Squad")
    with pytest.raises(RecordNotFoundError):
        title_of("Saturation", "BROCKHAMPTON", "Saturation: Part 2")


def tracks(*names: str, disc: int = 1) -> list[TrackRecord]:
    return [
        TrackRecord(title=n, disc_number=disc, track_number=i, duration_ms=180_000 + 1_000 * i)
        for i, n in enumerate(names, 1)
    ]


ABBEY_ROAD = tracks("Come Together", "Something", "Maxwell's Silver Hammer", "Oh! Darling", "Octopus's Garden")


def test_suffixes_guests_and_typing_errors_align() -> None:
    other = tracks(
        "Come Together - Remastered 2009",
        "Something (2019 Mix)",
        "Maxwells Silver Hamer",
        "Oh Darling (feat. Nobody)",
        "Octopus's Garden - Live",
    )
    assert align(ABBEY_ROAD, other) == {0: 0, 1: 1, 2: 2, 3: 3}


def test_isrc_and_ids_beat_titles() -> None:
    ours = [TrackRecord(title="One", isrc="GBAYE0601690"), TrackRecord(title="Two", ids={"spotify": "x"})]
    theirs = [TrackRecord(title="Zwei", ids={"spotify": "x"}), TrackRecord(title="Eins", isrc="GBAYE0601690")]
    assert align(ours, theirs) == {0: 1, 1: 0}


def test_a_wholly_different_list_aligns_nothing() -> None:
    assert align(ABBEY_ROAD, tracks("Smells Like Teen Spirit", "In Bloom", "Come as You Are", "Breed", "Lithium")) == {}


def test_equal_titles_are_told_apart_by_number_and_duration() -> None:
    ours = [*tracks("Intro", "Song", "Intro"), *tracks("Intro", disc=2)]
    theirs = [ours[3], ours[2], ours[0]]
    assert align(ours, theirs) == {0: 3, 1: 2, 2: 0}


def test_other_performances_and_other_remixes_stay_apart() -> None:
    ours = tracks("Memories - Devault Remix", "Memories", "Love Story (Taylor's Version)")
    theirs = tracks("Memories - Dillon Francis Remix", "Love Story", "Memories")
    assert align(ours, theirs) == {2: 1}


def test_another_script_aligns_by_number_and_duration() -> None:
    ours = tracks("Sayonara Hitori", "Kuroneko")
    theirs = [replace(t, title=n) for t, n in zip(tracks("a", "b"), ("一人別離", "黒猫"), strict=True)]
    assert align(ours, theirs) == {0: 0, 1: 1}
    assert align(ours, [replace(t, duration_ms=400_000) for t in theirs]) == {}


def test_lists_of_different_length_align_one_to_one() -> None:
    other = [*ABBEY_ROAD[2:], *tracks("Something", "Something")]
    found = align(ABBEY_ROAD, other)
    assert {0: 2, 1: 3, 2: 4}.items() <= found.items()
    assert len(set(found.values())) == len(found)
    assert align([], other) == align(other, []) == {}


TITLES = st.sampled_from(["Intro", "Intro (Live)", "One", "One - Remastered", "Two", "Twoo", "III", "II", "", "÷"])
TRACKS = st.lists(
    st.builds(
        TrackRecord,
        title=TITLES,
        disc_number=st.integers(1, 2),
        track_number=st.none() | st.integers(1, 4),
        duration_ms=st.none() | st.sampled_from([1_000, 200_000, 201_000]),
        isrc=st.none() | st.sampled_from(["GBAYE0601690", "GBAYE0601691"]),
    ),
    max_size=6,
)


@given(TRACKS, TRACKS, st.randoms())
def test_the_order_of_tracks_does_not_matter(
    ours: list[TrackRecord], theirs: list[TrackRecord], rng: random.Random
) -> None:
    def said(pairs: dict[int, int], a: list[TrackRecord], b: list[TrackRecord]) -> list[str]:
        return sorted(repr((a[i], b[j])) for j, i in pairs.items())

    shuffled_ours, shuffled_theirs = rng.sample(ours, len(ours)), rng.sample(theirs, len(theirs))
    found = align(ours, theirs)
    assert len(set(found.values())) == len(found)
    assert said(found, ours, theirs) == said(align(shuffled_ours, shuffled_theirs), shuffled_ours, shuffled_theirs)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Something - Remastered 2009", "Something"),
        ("motive (with Doja Cat)", "Motive"),
        ("Radio (Radio Edit)", "Radio"),
        ("Hello feat. Somebody", "hello"),
    ],
)
def test_editions_of_a_track_share_its_key(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


def test_other_recordings_have_another_key() -> None:
    names = [
        "Something",
        "Something - Live",
        "Something (Demo)",
        "Something (Reprise)",
        "Something - X Remix",
        "÷",
        "+",
    ]
    assert len({title_key(n) for n in names}) == len(names)
