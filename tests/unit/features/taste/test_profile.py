"""Tastes in figures, each worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.features.taste.distinctive import distinctive
from backend.features.taste.figures import divergence, effective, quantiles
from backend.features.taste.profile import Taste, profile
from backend.features.taste.weights import weigh
from backend.models.tastes import CatalogueFigures, PlayedTrack
from tests.unit.features.taste.heard import FIGURES, played, track

TRACKS = [
    track("a1", genres=("jazz",), moods=("calm",), year=1959, popularity=10, energy=0.2, tempo=100.0),
    track("a2", genres=("jazz", "dub"), year=1965, popularity=50, energy=0.4),
    track("b1", "bob", genres=("rock",), year=1971, popularity=90, energy=0.8, tempo=120.0),
]


def taste(**plays: object) -> Taste:
    # Passed on as they come: `played` says of which type each is.
    return Taste(weigh(played(**plays), TRACKS))  # type: ignore[arg-type]


# -- weights ---------------------------------------------------------------------------------------


def test_a_track_counts_by_its_plays_and_the_rest_of_an_artist_evenly() -> None:
    found = taste(
        tracks={("2020", "ada", "a1"): 3}, artists={("2020", "ada"): 7, ("2020", "bob"): 5, ("2020", "eve"): 5}
    )
    assert found.track_weights.tolist() == [3 + 2, 2, 5]
    assert found.heard.tolist() == [3, 0, 0]
    assert found.coverage() == {"plays": 17, "track_share": round(3 / 17, 4), "artist_share": round(12 / 17, 4)}


def test_an_unknown_track_of_a_known_artist_counts_for_the_artist_and_one_of_nobody_for_nothing() -> None:
    found = taste(tracks={("2020", "ada", "a1"): 2, ("2020", "ada", "lost"): 2, ("2020", "eve", "x"): 6})
    assert found.track_weights.tolist() == [3, 1, 0]
    assert found.coverage() == {"plays": 10, "track_share": 0.2, "artist_share": 0.4}


def test_a_chart_of_tracks_that_says_more_than_that_of_artists_is_right() -> None:
    found = taste(tracks={("overall", "ada", "a1"): 9}, artists={("overall", "ada"): 4})
    assert (found.plays, found.track_weights.tolist()) == (9, [9, 0, 0])


def test_a_play_is_laid_onto_a_track_by_id_then_recording_then_name() -> None:
    tracks = [track("x", mbid="m1"), track("y", mbid="m2"), track("z")]
    heard = played(artists={("2020", "ada"): 3})
    heard.tracks.extend(
        [
            PlayedTrack(artist_key="ada", track_key="ada/z", mbid="m1", track_id="y", plays=1, period="2020"),
            PlayedTrack(artist_key="ada", track_key="ada/z", mbid="m1", plays=1, period="2020"),
            PlayedTrack(artist_key="ada", track_key="ada/z", mbid="m9", plays=1, period="2020"),
        ]
    )
    assert Taste(weigh(heard, tracks)).heard.tolist() == [1, 1, 1]


def test_of_windows_the_whole_counts_alone() -> None:
    heard = played(artists={("overall", "ada"): 10, ("1month", "ada"): 4, ("1month", "bob"): 1}, nested=True)
    found = Taste(weigh(heard, TRACKS), whole="overall")
    assert (found.plays, found.track_weights.tolist()) == (10, [5, 5, 0])
    assert [(row["period"], row["plays"]) for row in found.drift()] == [("overall", 10), ("1month", 5)]


# -- figures ---------------------------------------------------------------------------------------


def test_shares_eras_and_spread() -> None:
    found = taste(tracks={("2020", "ada", "a1"): 2, ("2020", "ada", "a2"): 1, ("2020", "bob", "b1"): 1})
    assert found.shares("genres") == {"dub": 0.25, "jazz": 0.75, "rock": 0.25}
    assert found.shares("moods") == {"calm": 0.5}
    assert found.eras() == [
        {"decade": 1950, "share": 0.5}, {"decade": 1960, "share": 0.25}, {"decade": 1970, "share": 0.25},
    ]  # fmt: skip
    spread = found.spread()
    assert set(spread) == {"energy", "tempo"}
    mean = (0.2 * 2 + 0.4 + 0.8) / 4
    variance = (2 * (0.2 - mean) ** 2 + (0.4 - mean) ** 2 + (0.8 - mean) ** 2) / 4
    assert spread["energy"]["mean"] == round(mean, 4)
    assert spread["energy"]["sd"] == round(math.sqrt(variance), 4)
    # Middles of the weights: 0.2 at 25 %, 0.4 at 62.5 %, 0.8 at 87.5 %.
    assert spread["energy"]["deciles"][0] == 0.2
    assert spread["energy"]["deciles"][4] == round(0.2 + 0.2 * (0.5 - 0.25) / 0.375, 4)
    assert spread["energy"]["deciles"][8] == 0.8
    assert spread["energy"]["known_share"] == 1.0
    assert spread["tempo"]["known_share"] == 0.75


def test_mainstream_is_the_mean_percentile_in_the_catalogue() -> None:
    found = taste(tracks={("2020", "ada", "a1"): 1, ("2020", "bob", "b1"): 3})
    # Of 100 tracks 40 have 10, 40 have 50, 20 have 90: mid-ranks 0.2, 0.6, 0.9.
    assert found.mainstream(FIGURES) == {"value": round((0.2 + 3 * 0.9) / 4, 4), "known_share": 1.0}
    at_random = CatalogueFigures(tracks=2, genres={}, moods={}, popularity={10: 1, 90: 1})
    assert taste(tracks={("2020", "ada", "a1"): 1, ("2020", "bob", "b1"): 1}).mainstream(at_random)["value"] == 0.5
    assert taste(artists={("2020", "eve"): 1}).mainstream(FIGURES) == {"value": None, "known_share": 0.0}


def test_drift_goes_period_by_period() -> None:
    found = taste(
        tracks={("2019", "ada", "a1"): 4, ("2020", "ada", "a1"): 1, ("2020", "bob", "b1"): 1, ("2021", "eve", "x"): 3}
    ).drift()
    assert [(row["period"], row["plays"], row["known_share"]) for row in found] == [
        ("2019", 4, 1.0), ("2020", 2, 1.0), ("2021", 3, 0.0),
    ]  # fmt: skip
    assert found[0]["genres"] == [{"name": "jazz", "share": 1.0}]
    assert found[1]["audio_features"] == {"energy": 0.5, "tempo": 110.0}
    assert found[0]["change"] is None
    assert found[1]["change"] == divergence({"jazz": 1}, {"jazz": 1, "rock": 1}) == pytest.approx(0.311278, abs=1e-6)
    assert found[2]["change"] is None, "nothing is known of it"


def test_nothing_known_gives_empty_figures() -> None:
    found = profile(Taste(weigh(played(artists={("2020", "eve"): 3}), [])), FIGURES, {})
    assert found["coverage"] == {"plays": 3, "track_share": 0.0, "artist_share": 0.0}
    assert (found["genres"], found["eras"], found["spread"], found["audio_features"]) == ([], [], {}, {})
    assert found["distinctive"] == {"genres": [], "moods": [], "artists": []}


# -- distinctive -----------------------------------------------------------------------------------


def test_log_odds_with_an_informative_prior() -> None:
    own, reference, prior = {"jazz": 30.0, "rock": 10.0}, {"jazz": 10.0, "rock": 60.0, "dub": 30.0}, 50.0
    (jazz,) = distinctive(own, reference, prior=prior)
    y, r = 30 + prior * 0.1, 10 + prior * 0.1
    delta = math.log(y / (40 + prior - y)) - math.log(r / (100 + prior - r))
    z = delta / math.sqrt(1 / y + 1 / r)
    assert (jazz.name, jazz.share, jazz.reference) == ("jazz", 0.75, 0.1)
    assert (jazz.log_odds, jazz.z) == (round(delta, 4), round(z, 3))


def test_the_prior_keeps_what_is_rare_from_standing_first() -> None:
    reference = {"jazz": 500.0, "rock": 4_499.0, "zydeco": 1.0}
    found = distinctive({"zydeco": 1.0, "jazz": 80.0, "rock": 60.0}, reference, least=0)
    assert [d.name for d in found] == ["jazz", "zydeco"], "one play of something rare is little"
    assert distinctive({"jazz": 10.0, "rock": 90.0}, {"jazz": 100.0, "rock": 900.0}) == [], "played as it is there"
    assert distinctive({}, reference) == distinctive({"jazz": 5.0}, {}) == distinctive({"a": 5.0}, {"a": 5.0}) == []


def test_a_thousand_plays_of_one_track_are_worth_one() -> None:
    figures = CatalogueFigures(tracks=1_000, genres={"jazz": 50, "rock": 950}, moods={}, popularity={})
    many = [track(f"t{i}", genres=("jazz",)) for i in range(40)]
    one = Taste(weigh(played(tracks={("2020", "ada", "t0"): 1_000}), many)).distinctive(figures, {"ada": 40})
    forty = Taste(weigh(played(tracks={("2020", "ada", f"t{i}"): 25 for i in range(40)}), many))
    assert one["genres"] == one["artists"] == []
    assert [d["name"] for d in forty.distinctive(figures, {"ada": 40})["genres"]] == ["jazz"]
    assert [d["name"] for d in forty.distinctive(figures, {"ada": 40})["artists"]] == ["Ada"]


# -- pieces ----------------------------------------------------------------------------------------


def test_quantiles_of_equal_weights_are_numpys_hazen() -> None:
    values = np.random.default_rng(1).normal(size=101)
    at = np.arange(0.1, 0.95, 0.1)
    assert quantiles(values, np.full(101, 3.0), at) == pytest.approx(np.quantile(values, at, method="hazen"))


def test_pieces() -> None:
    assert effective(np.array([2.0, 2.0])) == 2.0
    assert effective(np.zeros(3)) == 0.0
    assert divergence({"a": 1, "b": 3}, {"b": 6, "a": 2}) == 0.0
