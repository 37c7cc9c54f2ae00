"""The three protocols, from data to tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from backend.features.discovery.songs import Codes
from backend.features.evaluation import artist_methods, our_tracks, track_baselines, track_pairs
from backend.features.evaluation.catalogue import Given
from backend.features.evaluation.measuring import Facts, K, measure
from backend.features.evaluation.methods import OURS
from backend.features.evaluation.occurrence import occurrences, reached, skewness
from backend.features.evaluation.protocols import LEAST, SHARE, Lists, deal, halves
from backend.features.evaluation.report import Evaluation, Tally
from backend.features.evaluation.track_baselines import TrackFacts
from backend.utils.errors import InvalidInputError

LISTS: Final = 20
"""So many lists must be long enough: intervals over fewer say nothing."""
PAIRS_UP_TO: Final = 60_000
"""Tracks of a catalogue of which all lists are made: it takes minutes then."""

Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Tell nobody."""


def continuation(given: Given, *, seeds: Sequence[int], progress: Progress = silent) -> Evaluation:
    """Playlists continued: tracks held out of each, all tracks ranked.

    Raises:
        InvalidInputError: too few playlists are long enough.
    """
    asked = require(given.lists, "playlists", "tracks of the catalogue")
    facts = TrackFacts.of(given.table)
    tally = Tally()
    for seed in seeds:
        progress(f"playlists, seed {seed}: learning …")
        dealt = deal(given.lists, seed=seed)
        known = Facts.of(
            vectors=facts.plain, genres=facts.genres, artists=facts.artists, dealt=dealt, popularity=facts.popularity
        )
        methods = [
            *track_baselines.simple(facts, dealt, seed=seed, k=K),
            *track_baselines.implicit(facts, dealt, seed=seed, k=K),
            *our_tracks.methods(given.table, dealt, seed=seed, k=K),
        ]
        progress(f"playlists, seed {seed}: asking …")
        measure(tally, methods, given.lists, dealt, known)
    return Evaluation(
        protocol="playlist continuation",
        items=given.table.num_rows,
        lists=len(given.lists),
        asked=asked,
        seeds=list(seeds),
        headline="ndcg@100",
        lines=tally.lines(),
        notes=[_held("tracks", "playlists"), *_unknown(given)],
    )


def similar(given: Given, *, seeds: Sequence[int], progress: Progress = silent) -> Evaluation:
    """Tracks to tracks of another artist: hits stand in the same playlist, of a half of all playlists that nobody learnt from.

    Raises:
        InvalidInputError: too few playlists are long enough, or the catalogue is too large to list all.
    """
    require(given.lists, "playlists", "tracks of the catalogue")
    n = given.table.num_rows
    if n > PAIRS_UP_TO:
        raise InvalidInputError(f"{n:,} tracks are too many to make every track's list; {PAIRS_UP_TO:,} are the most")
    facts = TrackFacts.of(given.table)
    tally = Tally()
    asked: set[int] = set()
    for seed in seeds:
        progress(f"similar tracks, seed {seed} …")
        train, test = halves(given.lists, seed=seed)
        asked.update(test)
        weights, index = our_tracks.weights_and_index(given.table, [given.lists.items[i] for i in train], seed=seed)
        albums, songs = index.rows.albums, index.rows.songs
        for name, near, note in (
            ("random", track_pairs.by_chance(n, seed=seed), ""),
            ("artist mean", track_pairs.of_vectors(facts.artist_means, albums), ""),
            ("plain kNN", track_pairs.of_vectors(facts.plain, albums), ""),
            (our_tracks.ALIKE, track_pairs.of_index(our_tracks.uncorrected(index)), ""),
            (OURS, track_pairs.of_index(index), our_tracks.said(weights)),
        ):
            found = track_pairs.nearest(near, facts.artists, songs)
            _tell(tally, name, found, given.lists, test, facts.artists)
            tally.note(name, note)
    return Evaluation(
        protocol="similar tracks",
        items=n,
        lists=len(given.lists),
        asked=len(asked),
        seeds=list(seeds),
        headline="ndcg@10",
        lines=tally.lines(),
        notes=[
            "For each track the 10 nearest by another artist; a hit stands in the same playlist. Half of the playlists are asked "
            "for, weights and company were learnt from the other half; popularity, same artist and ALS have no answer here.",
        ],
    )


def artists(plays: artist_methods.Plays, *, seeds: Sequence[int], progress: Progress = silent) -> Evaluation:
    """Artists for listeners: some held out of each listener's, all artists ranked.

    Raises:
        InvalidInputError: too few listeners have enough artists.
    """
    asked = require(plays.lists, "listeners", "artists")
    n = len(plays.lists.ids)
    vectors = plays.vectors
    tally = Tally()
    for seed in seeds:
        progress(f"artists, seed {seed}: learning …")
        dealt = deal(plays.lists, seed=seed)
        known = Facts.of(vectors=vectors, genres=plays.genres, artists=None, dealt=dealt)
        methods = [
            *artist_methods.simple(plays, dealt, seed=seed, k=K),
            *artist_methods.implicit(plays, dealt, seed=seed, k=K),
            artist_methods.ours(plays, dealt, seed=seed, k=K),
        ]
        progress(f"artists, seed {seed}: asking …")
        measure(tally, methods, plays.lists, dealt, known)
    return Evaluation(
        protocol="artists for listeners",
        items=n,
        lists=len(plays.lists),
        asked=asked,
        seeds=list(seeds),
        headline="ndcg@100",
        lines=tally.lines(),
        notes=[_held("artists", "listeners")],
    )


def require(lists: Lists, what: str, of: str) -> int:
    """How many lists are long enough to hold something out.

    Raises:
        InvalidInputError: too few.
    """
    long = sum(len(items) >= LEAST for items in lists.items)
    if long < LISTS:
        raise InvalidInputError(
            f"{long} {what} have {LEAST} {of} or more; {LISTS} are needed, for intervals over fewer say nothing"
        )
    return long


def _tell(tally: Tally, name: str, found: Codes, lists: Lists, test: list[int], artists_of: Codes) -> None:
    values = track_pairs.scores_of(found, lists, test, artists_of)
    for i, value in zip(test, values.tolist(), strict=True):
        tally.add(name, lists.names[i], {"ndcg@10": value})
    counts = occurrences([found[found >= 0]], len(artists_of))
    tally.whole(name, {"reachability@10": reached(counts), "skewness@10": skewness(counts)})


def _held(items: str, lists: str) -> str:
    return (
        f"{SHARE:.0%} of each list of {LEAST} {items} or more are held out, the rest of all lists is learnt from; every item of "
        f"the catalogue but the list's own is ranked. Intervals: 95 %, bootstrap over {lists}."
    )


def _unknown(given: Given) -> list[str]:
    return [f"{given.unknown:,} places of the file name tracks that the catalogue lacks."] if given.unknown else []
