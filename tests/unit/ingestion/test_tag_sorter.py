"""Tags of several sources and levels sorted into genres and moods, weighed."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion.policy import MergePolicy
from backend.ingestion.said import counting
from backend.ingestion.source import SourceProfile
from backend.ingestion.tag_sorter import Sorted, TagSorter
from backend.models.ingestion_models import AlbumRecord, Level, Rights, SourceRecord, Tag, TrackRecord

LEVELS: tuple[Level, ...] = ("album", "artist")
GIVEN = Tag | tuple[str, Tag]
TRUST = {"a": 1.0, "b": 0.9, "c": 0.2}
PROFILES = {
    name: SourceProfile(name=name, rights=Rights.OPEN, gives={"title": 1.0, "artist": 1.0, "tags": trust})
    for name, trust in TRUST.items()
}


def tag(name: str, weight: float = 1.0, level: Level = "album") -> Tag:
    return Tag(name=name, weight=weight, level=level)


def own(name: str, weight: float = 1.0) -> Tag:
    return tag(name, weight, "track")


def sorter(*tags: GIVEN, artist: str = "Artist", album: str = "Album", most: int = 99) -> TagSorter:
    """A sorter of an album's and artist's tags, of source "a" where none is named."""
    by: dict[str, list[Tag]] = {name: [] for name in PROFILES}
    for given_tag in tags:
        source, one = given_tag if isinstance(given_tag, tuple) else ("a", given_tag)
        by[source].append(one)
    records = [
        SourceRecord(
            source=name,
            rights=Rights.OPEN,
            fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
            album=AlbumRecord(title=album, artist=artist, tags=tuple(of_source)),
        )
        for name, of_source in by.items()
    ]
    said = counting(records, PROFILES, policy=MergePolicy(max_genres=most, max_moods=most))
    return TagSorter(said, artist=artist, album=album, max_genres=most, max_moods=most)


def of_track(*tags: Tag) -> Mapping[str, TrackRecord]:
    return {"a": TrackRecord(title="T", tags=tags)}


def album(*tags: GIVEN, most: int = 99) -> Sorted:
    return sorter(*tags, most=most).album()


def test_genres_moods_junk_and_unknown_are_told_apart() -> None:
    found = album(tag("Hip-Hop"), tag("melancholy"), tag("seen live"), tag("qwertz"), tag("asdf"))
    assert (found.genres, found.moods) == (("hip hop",), ("melancholic",))


def test_spellings_of_one_genre_add_up() -> None:
    assert album(tag("rock", 0.5), tag("Hip-Hop", 0.3), tag("rap", 0.3)).genres == ("hip hop", "rock")


def test_what_is_said_of_the_track_outweighs_album_and_artist() -> None:
    found = sorter(tag("jazz", 1.0, "artist"), tag("jazz pop", 1.0)).track(of_track(own("smooth jazz")))
    assert found.genres == ("smooth jazz", "jazz pop", "jazz")


def test_agreement_of_levels_and_sources_counts() -> None:
    assert album(tag("folk"), ("b", tag("rock")), tag("rock", 1.0, "artist")).genres == ("rock", "folk")
    assert album(("c", tag("rock")), ("b", tag("folk"))).genres == ("folk", "rock")


def test_ties_go_by_name_and_limits_cut() -> None:
    names = ["rock", "jazz", "folk", "blues"]
    assert album(*map(tag, names)).genres == ("blues", "folk", "jazz", "rock")
    assert album(*map(tag, names), most=2).genres == ("blues", "folk")
    assert album(*map(tag, names), tag("sad"), most=0) == Sorted((), ())


def test_the_own_names_are_no_tags() -> None:
    found = sorter(tag("The Blues"), tag("Blues"), tag("disco"), artist="Blues", album="Disco")
    assert found.album().genres == ()
    assert found.track(of_track(own("Blues"), own("Disco"))).genres == ()


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_no_number_does_not_count(weight: float) -> None:
    assert album(tag("rock", 0.1), tag("jazz", weight)).genres == ("rock",)


def test_an_artists_many_voices_do_not_drown_a_track() -> None:
    shared = [(source, tag("rock", 1.0, level)) for source in TRUST for level in LEVELS]
    found = sorter(*shared).track(of_track(own("blues rock")))
    assert found.genres == ("blues rock", "rock")
    assert found.weights == {"blues rock": (1.0, "track"), "rock": (0.6, "album")}


def test_a_faint_tag_of_a_track_does_not_silence_its_album() -> None:
    found = sorter(tag("rock")).track(of_track(own("blues rock", 0.02)))
    assert found.genres == ("rock", "blues rock")


def test_moods_of_an_album_stand_behind_a_track_that_has_only_genres() -> None:
    found = sorter(tag("sad")).track(of_track(own("rock")))
    assert found.weights == {"rock": (1.0, "track"), "sad": (1.0, "album")}


def test_the_level_of_a_weight_is_the_most_specific() -> None:
    found = sorter(tag("rock", 1.0, "artist"), tag("sad", 1.0, "artist"), tag("folk rock")).track(of_track(own("rock")))
    assert {name: level for name, (_, level) in found.weights.items()} == {
        "rock": "track", "folk rock": "album", "sad": "artist",
    }  # fmt: skip
    assert all(0 <= weight <= 1 for weight, _ in found.weights.values())


def test_givers_are_those_of_what_is_kept() -> None:
    found = album(("b", tag("Rock")), tag("rock"), ("c", tag("jazz", 0.1)), ("b", tag("sad")), most=1)
    assert found.givers == {"genres": "a+b", "moods": "b"}


def test_a_track_lies_at_the_weighted_mean_of_its_moods() -> None:
    found = sorter().track(of_track(own("happy", 1.0), own("calm", 0.5)))
    assert found.valence == pytest.approx((0.9 + 0.5 * 0.5) / 1.5, abs=1e-4)
    assert found.arousal == pytest.approx((0.45 - 0.5 * 0.75) / 1.5, abs=1e-4)
    without = sorter(tag("rock")).track({})
    assert (without.valence, without.arousal) == (None, None)


def test_childrens_music_is_not_metal() -> None:
    """Tags of an artist's namesake; https://github.com/beetbox/beets/issues/5649."""
    found = sorter(tag("children's music"), tag("metal", 1.0, "artist"), tag("nursery rhymes", 1.0, "artist"))
    assert found.album().genres == ("children's music", "nursery rhymes")
    assert sorter(tag("metal", 1.0, "artist")).track(of_track(own("children's music"))).genres == ("children's music",)


def test_an_artists_genres_count_little_beside_strange_ones_of_the_music() -> None:
    found = sorter(tag("bebop", 0.3), tag("metal", 1.0, "artist"), tag("jazz", 1.0, "artist")).album()
    assert found.genres == ("jazz", "bebop", "metal")


@pytest.mark.parametrize("junk", ["seen live", "Norwegian", "berlin", "80s", "1990s", "american", "african", "asian"])
def test_habits_places_and_decades_are_no_genres(junk: str) -> None:
    assert album(tag(junk), tag("rock", 0.1)).genres == ("rock",)


TAGS = st.lists(
    st.tuples(
        st.sampled_from(sorted(TRUST)),
        st.builds(
            Tag,
            name=st.sampled_from(["rock", "Rock", "hip-hop", "rap", "jazz", "sad", "happy", "seen live", "x y z"]),
            weight=st.floats(0, 1),
            level=st.sampled_from(["album", "artist"]),
        ),
    ),
    max_size=30,
)


@given(TAGS, st.randoms())
def test_the_order_of_tags_does_not_matter(tags: list[GIVEN], rng: random.Random) -> None:
    shuffled = rng.sample(tags, len(tags))
    assert album(*tags, most=2) == album(*shuffled, most=2)
    track = of_track(own("folk", 0.3), own("sad", 0.9))
    assert sorter(*tags).track(track) == sorter(*shuffled).track(track)
