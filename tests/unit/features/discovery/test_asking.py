from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features.discovery.asking import LIKENESS, Question, asked
from backend.features.discovery.choosing import Taste
from backend.features.discovery.index import CONTRIBUTIONS, DiscoveryIndex
from backend.features.discovery.wish_scores import fit, reasons
from backend.features.discovery.wishes import Explicit, Meaning, Place, Range, Tagged, Wish
from backend.utils.errors import InvalidInputError
from tests.unit.features.tracks import mixed, table


def wish(meaning: Meaning, **how: Any) -> Wish:
    return Wish(text=str(meaning), meaning=meaning, **how)


SOME: list[Meaning] = [
    Range("tempo", 3, 6), Range("energy", None, 4), Range("duration_ms", 5, 5), Tagged("genres", "jazz"),
    Tagged("moods", "dark", place=(-0.5, 0.2)), Place(0.3, -0.3), Explicit(value=True),
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 500),
    meanings=st.lists(st.sampled_from(SOME), max_size=4, unique_by=str),
    wanted=st.booleans(),
    hard=st.booleans(),
    plus=st.lists(st.integers(0, 39), max_size=3),
    minus=st.lists(st.integers(0, 39), max_size=2),
    emphasis=st.dictionaries(st.sampled_from(["genres", "audio", "artist", "year"]), st.sampled_from([0.0, 0.5, 4.0])),
)
def test_contributions_sum_to_a_score_of_at_most_one_and_musts_never_leak(
    seed: int, meanings: list[Meaning], wanted: bool, hard: bool, plus: list[int], minus: list[int], emphasis: dict[str, float]
) -> None:  # fmt: skip
    index = DiscoveryIndex.build(mixed(40, seed=seed))
    question = Question(
        plus=plus, minus=minus, wishes=[wish(m, wanted=wanted, hard=hard) for m in meanings], emphasis=emphasis
    )
    if not plus and not meanings:
        with pytest.raises(InvalidInputError, match="Say what is asked for"):
            asked(index, question)
        return
    made = asked(index, question)
    allowed = np.ones(len(index.rows), bool)
    for flags in made.allowed().values():
        allowed &= flags
    for pick in index.ask(made.query, Taste(k=40), allowed=allowed):
        assert sum(pick.contributions.values()) == pytest.approx(pick.score, abs=1e-9)
        assert pick.score <= 1.00001
        assert tuple(pick.contributions)[: len(CONTRIBUTIONS)] == CONTRIBUTIONS
        assert sum(name.startswith("wish: ") for name in pick.contributions) == len(meanings)
        assert allowed[pick.row]
        assert pick.row not in {*plus, *minus}
        for group, factor in emphasis.items():
            assert factor or not pick.contributions[group]


def song(name: str, **values: Any) -> dict[str, Any]:
    return {"id": name, "title": name, "artist": name, **values}


def ids(index: DiscoveryIndex, *wishes: Wish, **more: Any) -> list[str]:
    made = asked(index, Question(wishes=wishes, **more))
    allowed = np.ones(len(index.rows), bool)
    for flags in made.allowed().values():
        allowed &= flags
    return [pick.id for pick in index.ask(made.query, Taste(k=20), allowed=allowed)]


TRACKS = DiscoveryIndex.build(
    table(
        [
            song("slow", tempo=80, release_year=1971, acousticness=0.9, moods=["melancholic"], genres=["folk"], explicit=False),
            song("near", tempo=117, release_year=1975, acousticness=0.55, moods=["melancholic", "sad"], genres=["folk"]),
            song("right", tempo=125, release_year=1975, acousticness=0.8, moods=["sad"], genres=["indie folk"], explicit=False),
            song("late", tempo=125, release_year=1991, acousticness=0.8, moods=["happy"], genres=["rock"], explicit=True),
            song("unknown"),
        ]
    )
)  # fmt: skip


def test_a_must_keeps_what_is_outside_and_what_is_unknown_out() -> None:
    assert ids(TRACKS, wish(Range("tempo", 120, 130), hard=True)) == ["late", "right"]
    assert ids(
        TRACKS, wish(Range("tempo", 120, 130), hard=True), wish(Range("release_year", 1970, 1979), hard=True)
    ) == ["right"]
    # Nobody says that the unknown one is folk.
    not_folk = wish(Tagged("genres", "folk"), hard=True, wanted=False)
    assert ids(TRACKS, not_folk, wish(Range("tempo", 0, 300))) == ["late", "right", "unknown"]
    assert ids(TRACKS, wish(Explicit(value=False), hard=True)) == ["right", "slow"]


def test_a_soft_wish_orders_by_how_near_a_track_is() -> None:
    assert ids(TRACKS, wish(Range("tempo", 120, 130)))[:3] == ["late", "right", "near"]
    fits = fit(TRACKS, wish(Range("tempo", 120, 130))).fits
    near = TRACKS.rows.find("near")
    assert fits[near] == pytest.approx(np.exp(-0.5 * (3 / 8) ** 2), abs=1e-4)
    assert fits[TRACKS.rows.find("unknown")] == 0


def test_musts_of_one_kind_are_alternatives_and_of_two_kinds_are_not() -> None:
    made = asked(
        TRACKS,
        Question(
            wishes=[
                wish(Range("release_year", 1970, 1979), hard=True), wish(Range("release_year", 1990, 1999), hard=True),
                wish(Range("tempo", 100, 200), hard=True),
            ]
        ),
    )  # fmt: skip
    years, tempo = made.allowed().values()
    names = TRACKS.rows.names
    assert sorted(names(np.flatnonzero(years & tempo))) == ["late", "near", "right"]


def test_a_tag_counts_what_stands_with_it_and_moods_their_place() -> None:
    fits = fit(TRACKS, wish(Tagged("genres", "folk", others=("indie folk",)))).fits
    assert [fits[TRACKS.rows.find(name)] for name in ("slow", "right", "late", "unknown")] == [1, 1, 0, 0]
    company = fit(TRACKS, wish(Tagged("moods", "melancholic"))).fits
    assert company[TRACKS.rows.find("near")] == 1
    assert company[TRACKS.rows.find("late")] == pytest.approx(0, abs=1e-6)
    placed = DiscoveryIndex.build(table([song("a", mood_valence=-0.5, mood_arousal=-0.4), song("b", mood_valence=0.9)]))
    by_place = fit(placed, wish(Tagged("moods", "wistful", place=(-0.5, -0.4)))).fits
    assert by_place.tolist() == pytest.approx([0.7, 0.0])


def test_a_point_takes_the_sound_where_no_mood_is_known() -> None:
    index = DiscoveryIndex.build(
        table(
            [
                song("a", mood_valence=0.5, mood_arousal=0.5),
                song("b", valence=0.75, energy=0.75),
                song("c", valence=0.5),
            ]
        )
    )
    assert fit(index, wish(Place(0.5, 0.5))).fits.tolist() == pytest.approx([1, 1, 0])


def test_wishes_and_likeness_share_the_score() -> None:
    made = asked(TRACKS, Question(plus=[TRACKS.rows.find("slow")], wishes=[wish(Range("tempo", 120, 130))]))
    best = {pick.id: pick for pick in TRACKS.ask(made.query, Taste(k=5))}
    assert best["right"].contributions[f"wish: {Range('tempo', 120, 130)}"] == pytest.approx(1 - LIKENESS)
    alone = asked(TRACKS, Question(plus=[TRACKS.rows.find("slow")]))
    before = {pick.id: pick for pick in TRACKS.ask(alone.query, Taste(k=5))}
    assert best["near"].contributions["genres"] == pytest.approx(
        LIKENESS * before["near"].contributions["genres"], abs=2e-6
    )


def test_an_emphasis_moves_the_list_towards_its_group() -> None:
    index = DiscoveryIndex.build(
        table(
            [
                song("start", genres=["dub"], release_year=1975), song("tag", genres=["dub"], release_year=2010),
                song("time", genres=["polka"], release_year=1975), song("other", genres=["ska"], release_year=1920),
            ]
        )
    )  # fmt: skip

    def best(**emphasis: float) -> str:
        made = asked(index, Question(plus=[index.rows.find("start")], emphasis=emphasis))
        return index.ask(made.query, Taste(k=1))[0].id

    assert best(genres=10) == "tag"
    assert best(year=10) == "time"
    assert best(genres=0) == "time"


@pytest.mark.parametrize(
    ("emphasis", "said"),
    [
        ({"tunes": 1.0}, "tunes: no groups"), ({"genres": -1.0}, "from 0"), ({"genres": 11.0}, "to 10"),
        ({"genres": float("nan")}, "from 0"),
        (dict.fromkeys(["audio", "year", "popularity", "genres", "moods", "listening", "artist", "album"], 0.0), "at least one"),
    ],
)  # fmt: skip
def test_an_emphasis_that_is_none(emphasis: dict[str, float], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        asked(TRACKS, Question(plus=[0], emphasis=emphasis))


def test_reasons_name_values_and_tags_and_say_nothing_of_what_does_not_fit() -> None:
    row = TRACKS.rows.find("right")

    def said(meaning: Meaning, text: str, **how: Any) -> list[str]:
        return reasons(TRACKS, row, [fit(TRACKS, Wish(text=text, meaning=meaning, **how))])

    assert said(Range("tempo", 120, 130), "120-130 bpm") == ["120-130 bpm: BPM 125"]
    assert said(Range("tempo", 130, 140), "130-140 bpm") == ["nearly 130-140 bpm: BPM 125"]
    assert said(Range("tempo", 10, 20), "10-20 bpm") == []
    assert said(Tagged("genres", "folk", others=("indie folk",)), "folk") == ["genre: indie folk"]
    assert said(Tagged("genres", "rock"), "not rock", wanted=False) == ["not rock: no such genre"]
    assert said(Explicit(value=False), "clean") == ["clean"]
