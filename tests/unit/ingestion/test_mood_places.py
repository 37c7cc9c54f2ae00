"""Where moods lie on valence and arousal."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from backend.ingestion.vocabulary import Kind, mood_place, moods, tell
from tests.fixtures.twin import SHARED

NAMES = sorted(set(moods().values()))
TABLES = SHARED / "data" / "tables"


def test_every_mood_has_a_place_within_the_circumplex() -> None:
    assert {n for n in NAMES if not all(-1 <= x <= 1 for x in mood_place(n))} == set()
    assert len({mood_place(n) for n in NAMES}) > 200


def test_what_is_no_canonical_mood_has_no_place() -> None:
    with pytest.raises(KeyError):
        mood_place("rock")


@pytest.mark.parametrize(
    ("name", "valence", "arousal"),
    [
        ("happy", 1, 1), ("euphoric", 1, 1), ("angry", -1, 1), ("aggressive", -1, 1), ("sad", -1, -1), ("gloomy", -1, -1),
        ("calm", 1, -1), ("peaceful", 1, -1), ("tense", -1, 1), ("lethargic", -1, -1),
    ],
)  # fmt: skip
def test_the_quarters_of_russells_circle(name: str, valence: int, arousal: int) -> None:
    place = mood_place(name)
    assert place[0] * valence > 0
    assert place[1] * arousal > 0


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (TABLES / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


@pytest.mark.skipif(not Path(TABLES / "track_moods.csv").is_file(), reason="the tables are not beside the project")
def test_places_rank_artists_as_listeners_do() -> None:
    """Artists with two mood tags or more by the weighted mean of these, against the mean of what listeners said of their tracks.

    Spearman's rank correlation was 0.51 (valence) and 0.45 (arousal) over 415 artists; half of that is asked for.
    """
    tagged: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for row in _rows("artist_tags.csv"):
        word = tell(row["tag"])
        if word.kind is Kind.MOOD:
            tagged[row["artist"].casefold()].append((*mood_place(word.name), int(row["count"])))
    heard: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in _rows("track_moods.csv"):
        heard[row["artist_name"].casefold()].append((float(row["valence"]), float(row["arousal"])))
    both = sorted(name for name in tagged.keys() & heard.keys() if len(tagged[name]) >= 2)
    assert len(both) > 300
    for axis, least in ((0, 0.25), (1, 0.22)):
        ours = [np.average([t[axis] for t in tagged[n]], weights=[t[2] for t in tagged[n]]) for n in both]
        theirs = [np.mean([t[axis] for t in heard[n]]) for n in both]
        assert spearmanr(ours, theirs).statistic > least
