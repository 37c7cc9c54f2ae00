"""Dealing tracks into parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.splits import reading
from backend.features.splits.groups import Groups, group
from backend.features.splits.hashing import places
from backend.features.splits.near import Rows
from backend.features.splits.recipe import SplitRecipe
from backend.features.splits.split import Codes, Split, SplitReport
from backend.features.splits.times import by_time
from backend.utils.errors import InvalidInputError

_MANY: Final = 20  # distinct numbers, from which on a column is stratified by its tenths
_LARGE: Final = 0.25  # of a part's share: a group of that size decides what the part is like
_OFF: Final = 0.1  # of a part's share: worth a note

Places = npt.NDArray[np.float64]


def assign(tracks: pa.Table, recipe: SplitRecipe) -> Split:
    """The part of each track.

    A group's part follows from the seed and the group's name alone (with `balanced` and `stratify`: from where it stands among
    the others, too), so it depends neither on the order of the rows nor on other groups.

    Args:
        tracks: with a column `id`, and of `title`, `artist`, `album`, `album_id`, `duration_ms`, `isrc`, `recording_mbid`,
            `recording_id`, `recording_key`, `spotify_id`, `artist_id` and the like what is there; any may be missing or null.
        recipe: what is wanted.

    Raises:
        InvalidInputError: a column that the recipe needs is missing, or ids are missing or not unique.
    """
    ids = reading.ids(tracks)
    if recipe.kind == "time":
        codes, report = by_time(tracks, recipe)
        return Split(recipe=recipe, ids=ids, codes=codes, report=report)
    groups = group(tracks, recipe)
    place = places(groups.keys, seed=recipe.seed)
    strata = _strata(tracks, recipe, groups=groups)
    if recipe.is_balanced:
        place = _balanced(place, groups=groups, strata=strata)
    edges = np.cumsum(list(recipe.parts.values()))[:-1]
    codes = np.searchsorted(edges, place, side="right").astype(np.int16)[groups.codes]
    return Split(recipe=recipe, ids=ids, codes=codes, report=_report(codes, recipe, groups=groups, strata=strata))


def _balanced(place: Places, *, groups: Groups, strata: Rows) -> Places:
    """Within each stratum, the middle of each group when all stand side by side in the order of their places."""
    names = np.argsort(np.asarray(groups.keys, object), kind="stable")
    tie = np.empty(len(names), np.int64)
    tie[names] = np.arange(len(names))
    order = np.lexsort((tie, place, strata))
    sizes = groups.sizes[order]
    ends = np.cumsum(sizes)
    totals = np.bincount(strata, groups.sizes)
    begins = (np.cumsum(totals) - totals)[strata[order]]
    found = np.empty(len(place))
    found[order] = (ends - sizes / 2 - begins) / totals[strata[order]]
    return found


def _strata(tracks: pa.Table, recipe: SplitRecipe, *, groups: Groups) -> Rows:
    """The stratum of each group: the value that most of its tracks have, of several the least."""
    strata = np.zeros(len(groups.keys), np.int64)
    if recipe.stratify is None or not len(groups.codes):
        return strata
    value = _values(tracks, recipe.stratify)
    pairs, counts = np.unique(groups.codes * (value.max() + 1) + value, return_counts=True)
    owner, which = np.divmod(pairs, value.max() + 1)
    order = np.lexsort((which, -counts, owner))
    first = order[np.unique(owner[order], return_index=True)[1]]
    strata[owner[first]] = which[first]
    return np.unique(strata, return_inverse=True)[1].astype(np.int64)


def _values(tracks: pa.Table, name: str) -> Rows:
    """The column's values as numbers from 0 in their order; unknown ones are a value, too; of a list the first counts."""
    if name not in tracks.column_names:
        raise InvalidInputError(f"stratify={name!r} is no column of the table; it has {', '.join(tracks.column_names)}")
    kind = tracks.schema.field(name).type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = reading.numbers(tracks, name)
        known = values[~np.isnan(values)]
        if len(np.unique(known)) > _MANY:
            values = np.where(
                np.isnan(values), np.nan, np.searchsorted(np.quantile(known, np.arange(0.1, 1, 0.1)), values)
            )
        return np.unique(values, return_inverse=True)[1].astype(np.int64)  # all NaN are one value
    encoded = pc.dictionary_encode(reading.identifiers(tracks, name))
    order = np.argsort(np.asarray(encoded.dictionary.to_pylist(), object), kind="stable")
    ranks = np.append(np.argsort(order) + 1, 0)  # unknown ones come first
    return np.asarray(ranks[encoded.indices.fill_null(-1).to_numpy()], np.int64)


def _report(codes: Codes, recipe: SplitRecipe, *, groups: Groups, strata: Rows) -> SplitReport:
    sizes, total = groups.sizes, max(len(codes), 1)
    rows = {name: int(np.count_nonzero(codes == i)) for i, name in enumerate(recipe.names)}
    spread = float(np.sqrt(np.sum((sizes / total) ** 2)))
    largest = int(np.lexsort((np.asarray(groups.keys, object), -sizes))[0]) if len(sizes) else None
    largest_rows = 0 if largest is None else int(sizes[largest])
    return SplitReport(
        rows=rows,
        groups=len(sizes),
        largest_group="" if largest is None else groups.keys[largest],
        largest_rows=largest_rows,
        expected_error={name: round(spread * (share * (1 - share)) ** 0.5, 6) for name, share in recipe.parts.items()},
        strata_error=_strata_error(codes, recipe, strata=strata[groups.codes]) if recipe.stratify else None,
        unnamed=groups.unnamed,
        notes=tuple(_notes(rows, recipe, largest_rows=largest_rows, groups=groups, largest=largest)),
    )


def _strata_error(codes: Codes, recipe: SplitRecipe, *, strata: Rows) -> float:
    if not len(codes):
        return 0.0
    parts = len(recipe.names)
    found = np.bincount(strata * parts + codes, minlength=(strata.max() + 1) * parts).reshape(-1, parts)
    wanted = found.sum(axis=1, keepdims=True) * np.array(list(recipe.parts.values()))
    return round(float(np.abs(found - wanted).max()), 3)


def _notes(
    rows: dict[str, int], recipe: SplitRecipe, *, largest_rows: int, groups: Groups, largest: int | None
) -> Iterator[str]:
    total = sum(rows.values())
    if not total:
        yield "There is no track."
        return
    if groups.unnamed:
        yield f"{groups.unnamed:,} tracks have no known {recipe.kind}; they are grouped by what else is known of them."
    if largest is not None and largest_rows / total > _LARGE * min(recipe.parts.values()) and largest_rows > 1:
        yield (
            f"The largest group ({groups.keys[largest]}) holds {largest_rows / total:.1%} of the tracks: shares can't be "
            "held more exactly than that, and it weighs much in the part that it is in."
        )
    for name, share in recipe.parts.items():
        found = rows[name] / total
        if abs(found - share) > _OFF * share and abs(found - share) * total > 1:
            yield (
                f"{name} has {found:.1%} of the tracks instead of {share:.1%}"
                + ("." if recipe.is_balanced else "; another seed deals anew, balanced=true holds the shares.")
            )
