"""Figures of a selection, counted by hand beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.models.results import TrackFilter
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.facets import Facets
from tests.integration.repositories.albums import album, record, track
from tests.levels import whole


@pytest.fixture
async def facets(database: Database) -> Facets:
    loud = album(
        title="Loud",
        artist="A",
        release_date="1990",
        aoty_user_score=72.0,
        aoty_critic_score=81.0,
        synthetic=False,
        tracks=0,
    )
    loud = replace(
        loud,
        tracks=(
            track(
                "l",
                1,
                popularity=4,
                genres=("rock", "pop"),
                moods=("calm",),
                audio_features={"energy": 0.2, "tempo": 100.0},
            ),
            track("l", 2, popularity=100, genres=("rock",), moods=(), audio_features={"energy": 0.6}),
        ),
    )
    quiet = album(
        title="Quiet",
        artist="B",
        release_date="1970",
        aoty_user_score=100.0,
        aoty_critic_score=60.0,
        synthetic=True,
        tracks=0,
    )
    quiet = replace(
        quiet,
        tracks=(track("q", 1, popularity=None, genres=("jazz",), moods=("calm",), audio_features={"energy": 0.1}),),
    )
    await AlbumRepository(database).save_many([(whole(loud), [record()]), (whole(quiet), [record()])])
    return Facets(database)


async def of(facets: Facets, wanted: TrackFilter, feature: str = "energy") -> dict[str, Any]:
    return await facets.of(wanted, feature=feature, tags=10, genres=2)


def named(rows: list[dict[str, Any]], name: str = "name") -> dict[Any, int]:
    return {row[name]: row["tracks"] for row in rows if row["tracks"]}


async def test_without_a_condition_everything_is_counted(facets: Facets) -> None:
    found = await of(facets, TrackFilter())
    assert found["catalogue"] == 3
    assert found["fitting"] == {"tracks": 3, "albums": 2, "artists": 2, "synthetic": 1}
    assert named(found["genres"]) == {"rock": 2, "jazz": 1, "pop": 1}
    assert named(found["moods"]) == {"calm": 2}
    assert named(found["years"], "year") == {1970: 1, 1990: 2}
    assert [b["low"] for b in found["popularity"]] == list(range(0, 100, 5))
    assert named(found["popularity"], "low") == {0: 1, 95: 1}
    assert named(found["user_score"], "low") == {70: 2, 95: 1}
    assert named(found["critic_score"], "low") == {80: 2, 60: 1}
    cells = {(c["critics"], c["listeners"]): (c["albums"], c["tracks"]) for c in found["scores"]["data"]}
    assert cells == {(80, 72): (1, 2), (60, 96): (1, 1)}
    assert found["scores"]["albums"] == 2
    assert found["scores"]["correlation"] == pytest.approx(-1)
    assert found["scores"]["difference"] == pytest.approx((81 - 72 + 60 - 100) / 2)
    sound = {row["genre"]: row for row in found["sound"]["data"]}
    assert list(sound) == ["rock", "jazz"]
    assert sound["rock"]["means"]["energy"] == pytest.approx(0.4)
    assert sound["rock"]["means"]["valence"] is None
    assert sound["rock"]["spread"][2] == pytest.approx(0.4)
    assert (sound["rock"]["tracks"], sound["rock"]["known"]) == (2, 2)


async def test_each_picture_leaves_out_its_own_condition_and_keeps_to_the_others(facets: Facets) -> None:
    found = await of(facets, TrackFilter(genres=("rock",), year_from=1980, max_popularity=50))
    assert found["catalogue"] == 3
    assert found["fitting"]["tracks"] == 1
    assert named(found["genres"]) == {"rock": 1, "pop": 1}
    assert named(found["popularity"], "low") == {0: 1, 95: 1}
    assert named(found["years"], "year") == {1990: 1}
    assert named(found["critic_score"], "low") == {80: 1}
    # Jazz would be there but for the year; the years of rock are seen without their own condition.
    assert named((await of(facets, TrackFilter(year_from=1980)))["years"], "year") == {1970: 1, 1990: 2}
    assert named((await of(facets, TrackFilter(genres=("jazz",))))["genres"]) == {"rock": 2, "jazz": 1, "pop": 1}


async def test_scores_against_each_other_leave_out_both_scores(facets: Facets) -> None:
    found = await of(facets, TrackFilter(min_critic_score=70, max_user_score=80))
    assert found["fitting"]["tracks"] == 2
    assert found["scores"]["albums"] == 2
    assert named(found["critic_score"], "low") == {80: 2}
    assert named(found["user_score"], "low") == {
        70: 2,
    }
    assert named(found["moods"]) == {"calm": 1}


async def test_nothing_that_fits_is_figures_of_nothing(facets: Facets) -> None:
    found = await of(facets, TrackFilter(artist="nobody"), feature="tempo")
    assert found["fitting"] == {"tracks": 0, "albums": 0, "artists": 0, "synthetic": 0}
    assert (
        found["genres"] == found["moods"] == found["years"] == found["sound"]["data"] == found["scores"]["data"] == []
    )
    assert found["scores"]["correlation"] is None
    assert sum(b["tracks"] for b in found["popularity"]) == 0
