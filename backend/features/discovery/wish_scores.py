"""How well tracks fit wishes, 0 to 1 each, and saying so in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.columns import Flags, Floats, Values, floats, lists
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.wishes import POINT, Explicit, Place, Range, Tagged, Wish, shown

REACH: Final = {
    "tempo": 8.0, "release_year": 4.0, "duration_ms": 30_000.0, "popularity": 10.0, "loudness": 3.0, "mood_valence": 0.25,
    "mood_arousal": 0.25,
}  # fmt: skip
"""How far outside of a range a value fits by 0.61: exp(-½ (d / reach)²)."""
_OF_UNIT: Final = 0.1  # reach of features from 0 to 1
_NEAR: Final = 0.35  # reach around a point of valence and arousal
_RELATED: Final = 0.8  # what a tag of the same company counts against the tag itself
_BY_PLACE: Final = 0.7  # what a mood's place counts against the mood itself
_WORTH: Final = 0.3  # of a fit; less is not worth a sentence
_NAMES: Final = {
    "tempo": "BPM", "release_year": "released", "duration_ms": "length", "mood_valence": "valence of its moods",
    "mood_arousal": "arousal of its moods",
}  # fmt: skip
_UNKNOWN: Final = 0.5  # of what is not to be so and nobody knows


@dataclass(frozen=True, slots=True)
class Fit:
    """How tracks fit one wish.

    Attributes:
        wish: which.
        fits: n, 0 to 1; 0 where it is unknown.
        allowed: n; whether the track may be an answer when the wish is hard.
    """

    wish: Wish
    fits: Values
    allowed: Flags


def fit(index: DiscoveryIndex, wish: Wish) -> Fit:
    """How all rows of an index fit a wish."""
    match wish.meaning:
        case Range() as wanted:
            fits, inside, known = _range(index.rows.table, wanted)
        case Tagged() as wanted:
            fits, inside, known = _tagged(index, wanted)
        case Place(valence, arousal):
            fits, known = _near_point(index.rows.table, valence, arousal)
            inside = fits > 0.5
        case Explicit(value):
            column = floats(index.rows.table, "explicit")
            known = ~np.isnan(column)
            inside = column == float(value)
            fits = inside.astype(np.float64)
    if wish.wanted:
        return Fit(wish, fits, inside)
    return Fit(wish, np.where(known, 1 - fits, _UNKNOWN), ~inside)


def _range(table: pa.Table, wanted: Range) -> tuple[Values, Flags, Flags]:
    values = floats(table, wanted.field)
    known = ~np.isnan(values)
    low = -np.inf if wanted.low is None else wanted.low
    high = np.inf if wanted.high is None else wanted.high
    # A column of single precision holds 0.8 as a little more.
    slack = 1e-5 * max(1.0, *(abs(v) for v in (low, high) if np.isfinite(v)))
    outside = np.maximum(np.maximum(low - slack - values, values - high - slack), 0)
    fits = np.where(known, np.exp(-0.5 * (outside / REACH.get(wanted.field, _OF_UNIT)) ** 2), 0.0)
    return fits, np.asarray(known & (outside == 0)), known


def _tagged(index: DiscoveryIndex, wanted: Tagged) -> tuple[Values, Flags, Flags]:
    table = index.rows.table
    tags = lists(table, wanted.kind)
    named = _having(tags, [wanted.name, *wanted.others])
    fits = np.maximum(named.astype(np.float64), _RELATED * _company(index, wanted))
    if wanted.place is not None:
        near, _ = _near_point(table, *wanted.place)
        fits = np.maximum(fits, _BY_PLACE * near)
    return fits, named, np.ones(len(fits), bool)


def _having(tags: Any, names: Sequence[str]) -> Flags:
    """Which lists hold one of some names."""
    found = np.zeros(len(tags), bool)
    among = pc.is_in(tags.flatten(), value_set=pa.array(list(names), pa.string())).to_numpy(zero_copy_only=False)
    parents = pc.list_parent_indices(tags).to_numpy(zero_copy_only=False)
    found[parents[among.astype(bool)]] = True
    return found


def _company(index: DiscoveryIndex, wanted: Tagged) -> Values:
    """How near the tags of each row are to the tag, by what stands together: 0 to 1."""
    space = index.space
    block = space.genres if wanted.kind == "genres" else space.moods
    scale = space.scale(wanted.kind)
    if not scale or not block.width:
        return np.zeros(len(index.rows))
    vector: Floats = block.of({wanted.name: 1.0})[0]
    part = space.slices[wanted.kind]
    likeness = np.concatenate([index.base[:, part] @ vector, index.tail[:, part] @ vector]) / scale
    return np.clip(likeness.astype(np.float64), 0.0, 1.0)


def _near_point(table: pa.Table, valence: float, arousal: float) -> tuple[Values, Flags]:
    """How near the moods of each row are to a point; where none is known, valence and energy of the sound stand for them."""
    v, a = (floats(table, field) for field in POINT)
    v = np.where(np.isnan(v), 2 * floats(table, "valence") - 1, v)
    a = np.where(np.isnan(a), 2 * floats(table, "energy") - 1, a)
    known = ~(np.isnan(v) | np.isnan(a))
    far = (v - valence) ** 2 + (a - arousal) ** 2
    return np.where(known, np.exp(-0.5 * far / _NEAR**2), 0.0), known


def reasons(index: DiscoveryIndex, row: int, fits: Sequence[Fit]) -> list[str]:
    """In words how a row fits each wish, as far as it does."""
    found = (_reason(index.rows.table.slice(row, 1), one, float(one.fits[row])) for one in fits)
    return [said for said in found if said]


def _reason(track: pa.Table, one: Fit, fits: float) -> str:
    meaning, said = one.wish.meaning, one.wish.text
    if isinstance(meaning, Range):
        value = floats(track, meaning.field)[0]
        if np.isnan(value):
            return "" if one.wish.wanted else f"{said}: not known to be"
        what = _NAMES.get(meaning.field, meaning.field)
        return _ranked(f"{what} {shown(meaning.field, value)}", said, fits)
    if isinstance(meaning, Tagged):
        return _tag_reason(set(track.column(meaning.kind)[0].as_py() or ()), one.wish, meaning, fits)
    if isinstance(meaning, Place):
        return _ranked("its mood", said, fits)
    return ("explicit" if meaning.value else "clean") if fits > 0.5 else ""


def _tag_reason(tags: set[str], wish: Wish, meaning: Tagged, fits: float) -> str:
    noun = meaning.kind.removesuffix("s")
    both = sorted(tags & {meaning.name, *meaning.others})
    if not wish.wanted:
        return "" if both else f"{wish.text}: no such {noun}"
    if both:
        return f"{noun}: {', '.join(both)}"
    if fits <= _WORTH:
        return ""
    return f"near {meaning.name}: {', '.join(sorted(tags)[:3])}" if tags else f"near {meaning.name} by its mood"


def _ranked(what: str, said: str, fits: float) -> str:
    if fits >= 0.999:
        return f"{said}: {what}"
    return f"nearly {said}: {what}" if fits > _WORTH else ""
