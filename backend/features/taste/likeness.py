"""How alike two tastes are, what they share, and what each could show the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backend.features.taste.figures import divergence
from backend.features.taste.profile import ranked

_SHOWN: Final = 15
_APART: Final = 0.02  # of the plays: by so much a genre's shares differ at least to be named as apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two.

    Attributes:
        artists: plays per artist, by folded name.
        names: how each is spelt.
        genres: shares of the known plays.
        genres_of: per artist that the catalogue has, the shares of his tracks' genres.
    """

    artists: Mapping[str, int]
    names: Mapping[str, str]
    genres: Mapping[str, float]
    genres_of: Mapping[str, Mapping[str, float]]


def compare(one: Side, other: Side) -> dict[str, Any]:
    """What two listeners have in common.

        similarity = (artists + genres) / 2
        artists = Σ min(p_a, q_a)      shares of all plays per artist: how much of their plays goes to the same artists
        genres  = 1 - JSD(p_g, q_g)    Jensen and Shannon's divergence, in bits, of the genres' weights

    each from 0 to 1. Where the catalogue knows no genre of one of them, `genres` is null and similarity that of the artists.
    """
    p, q = _shares(one.artists), _shares(other.artists)
    both = sorted(p.keys() & q.keys(), key=lambda a: (-min(p[a], q[a]), a))
    overlap = round(sum(min(p[a], q[a]) for a in both), 4)
    apart = divergence(one.genres, other.genres)
    alike = None if apart is None else round(1 - apart, 4)
    return {
        "similarity": round(overlap if alike is None else (overlap + alike) / 2, 4),
        "parts": {"artists": overlap, "genres": alike},
        "shared_artists": [
            {"name": one.names[a], "share": round(p[a], 4), "other_share": round(q[a], 4)} for a in both[:_SHOWN]
        ],
        "shared_artists_count": len(both),
        "genres_in_common": _in_common(one.genres, other.genres),
        "genres_apart": _genres_apart(one.genres, other.genres),
        "could_show_other": _to_show(one, p, to=other),
        "could_be_shown": _to_show(other, q, to=one),
    }


def _shares(plays: Mapping[str, int]) -> dict[str, float]:
    total = sum(plays.values())
    return {name: n / total for name, n in plays.items()} if total else {}


def _in_common(p: Mapping[str, float], q: Mapping[str, float]) -> list[dict[str, Any]]:
    least = ranked({genre: min(p[genre], q[genre]) for genre in p.keys() & q.keys()})[:_SHOWN]
    return [_pair(row["name"], p, q) for row in least]


def _genres_apart(p: Mapping[str, float], q: Mapping[str, float]) -> list[dict[str, Any]]:
    gaps = {genre: abs(p.get(genre, 0.0) - q.get(genre, 0.0)) for genre in p.keys() | q.keys()}
    return [_pair(row["name"], p, q) for row in ranked(gaps)[:_SHOWN] if row["share"] >= _APART]


def _pair(name: str, p: Mapping[str, float], q: Mapping[str, float]) -> dict[str, Any]:
    return {"name": name, "share": round(p.get(name, 0.0), 4), "other_share": round(q.get(name, 0.0), 4)}


def _to_show(who: Side, shares: Mapping[str, float], *, to: Side) -> list[dict[str, Any]]:
    """Artists of one that the other does not play, by play share × fit; those whose genres nobody knows follow, by share.

    `fit` is the cosine of the artist's genres and the other's.
    """
    fits = {a: _cosine(who.genres_of[a], to.genres) for a in shares if a in who.genres_of}
    new = [a for a in shares if a not in to.artists]
    order = sorted(new, key=lambda a: (-(fits.get(a) or 0.0) * shares[a], -shares[a], a))
    return [
        {"name": who.names[a], "share": round(shares[a], 4), "fit": None if a not in fits else round(fits[a], 4)}
        for a in order[:_SHOWN]
    ]


def _cosine(p: Mapping[str, float], q: Mapping[str, float]) -> float:
    dot = sum(value * q.get(name, 0.0) for name, value in p.items())
    lengths = np.sqrt(sum(v * v for v in p.values()) * sum(v * v for v in q.values()))
    return float(dot / lengths) if lengths else 0.0
