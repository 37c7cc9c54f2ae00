"""Similar tracks: exact nearest neighbours on audio features, year, genres and moods, with the share of each.

The vector of a track is unit(audio + year) ++ 2 × unit(tags): of the plain forms tried it found most tracks that share a
playlist (docs/design, section 6); the score is the cosine of two such vectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backend.features.columns import CONTINUOUS, TAGS, Flags, Values, floats
from backend.features.tag_space import TagSpace
from backend.utils.errors import NotFoundError
from backend.utils.text import fold, fold_name

CARD: Final = ("id", "title", "artist", "album", "album_id", "release_year", "synthetic")
"""What is shown of a track."""
READS: Final = (*CARD, *TAGS, *CONTINUOUS)
"""The columns of `enhanced_tracks` that neighbours are computed from."""
SCALED: Final = (*CONTINUOUS, "release_year")
TAG_WEIGHT: Final = 2.0
GROUPS: Final = ("audio", "year", "genres", "moods")

_DECIMALS: Final = 6  # of a score: equal tracks tie, whatever order sums were taken in
_REMASTER: Final = re.compile(r"\s*(?:-|[(\[])\s*[^-()\[\]]*\bremaster(?:ed)?\b.*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeness:
    """One audio feature of two tracks: their values, and how many standard deviations lie between them."""

    feature: str
    own: float
    other: float
    distance: float
    product: float  # of the standardised values: what it adds to the audio share, unscaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A similar track.

    Attributes:
        id: the track's.
        score: cosine, up to 1.
        contributions: per group of `GROUPS` its share; they sum to the score.
        shared: genres and moods that both have, the rarest first.
        closest: the audio features that are known of both, those that add most first.
        years: release years of both, when both are known.
        filled: audio features unknown of one of the two, for which the mean was taken.
    """

    id: str
    score: float
    contributions: dict[str, float]
    shared: dict[str, list[str]]
    closest: tuple[Closeness, ...]
    years: tuple[int, int] | None
    filled: tuple[str, ...]


class SimilarityIndex:
    """All tracks, ready to be compared.

    Args:
        table: the columns `READS`, n tracks.
        version: of the catalogue that the table was read from; whoever keeps the index compares it.
    """

    def __init__(self, table: pa.Table, *, version: str = "") -> None:
        self.version = version
        table = table.sort_by("id")  # so that ties go by id
        self._ids: list[str] = table.column("id").to_pylist()
        self._rows = {track_id: row for row, track_id in enumerate(self._ids)}
        self._cards = table.select(CARD)
        self._titles, self._artists = (table.column(name) for name in ("title", "artist"))
        self._values = np.column_stack([floats(table, name) for name in SCALED])
        self._scaled = _standardised(self._values)
        lengths = np.linalg.norm(self._scaled, axis=1)
        self._unit = self._scaled / np.where(lengths > 0, lengths, 1)[:, None]
        self._tags = TagSpace(table)
        self._norms = np.sqrt((lengths > 0) + TAG_WEIGHT**2 * self._tags.known)

    def __len__(self) -> int:
        return len(self._ids)

    def card(self, track_id: str) -> dict[str, Any]:
        """What is shown of a track: the fields of `CARD`.

        Raises:
            NotFoundError: no track has this id.
        """
        shown: dict[str, Any] = self._cards.slice(self._row(track_id), 1).to_pylist()[0]
        return shown

    def _row(self, track_id: str) -> int:
        row = self._rows.get(track_id)
        if row is None:
            raise NotFoundError(f"No track has the id {track_id[:80]!r}; /ml/training-data lists what is stored")
        return row

    def neighbours(self, track_id: str, k: int, *, allowed: Iterable[str] | None = None) -> list[Neighbour]:
        """The k most similar tracks, best first, ties by id; only those with something in common (a score above 0).

        The track itself and other copies of its recording are left out, and of several copies of another recording
        all but the best.

        Args:
            track_id: of the track to compare with.
            k: at most so many.
            allowed: ids that may be answered; all when None.

        Raises:
            NotFoundError: no track has this id.
        """
        row = self._row(track_id)
        parts = self._parts(row)
        scores = np.sum(list(parts.values()), axis=0)
        candidates = np.round(scores, _DECIMALS) > 0
        if allowed is not None:
            candidates &= self._mask(allowed)
        picked: list[int] = []
        seen = {self._recording(row)}
        for other in _best_first(np.where(candidates, np.round(scores, _DECIMALS), -np.inf), at_least=k):
            if len(picked) >= k:
                break
            recording = self._recording(other)
            if other != row and recording not in seen:
                seen.add(recording)
                picked.append(other)
        return [self._neighbour(row, other, parts) for other in picked]

    def _parts(self, row: int) -> dict[str, Values]:
        """Each group's share of the cosine with all tracks, rounded, so that the shown shares sum to the score."""
        own = self._unit[row]
        products = {
            "audio": self._unit[:, :-1] @ own[:-1],
            "year": self._unit[:, -1] * own[-1],
            **{group: TAG_WEIGHT**2 * found for group, found in self._tags.products(row).items()},
        }
        divisor = self._norms * self._norms[row]
        divisor[divisor == 0] = 1  # nothing known of one of them: all products are 0
        return {group: np.round(products[group] / divisor, _DECIMALS) for group in GROUPS}

    @property
    def ids(self) -> list[str]:
        """Of all tracks, in the order of the rows."""
        return self._ids

    def column(self, name: str) -> list[str | None]:
        """A field of `CARD` of all tracks, in the order of the rows."""
        found: list[str | None] = self._cards.column(name).to_pylist()
        return found

    def rows(self, track_ids: Iterable[str]) -> list[int]:
        """The rows of some tracks.

        Raises:
            NotFoundError: no track has one of these ids.
        """
        return [self._row(track_id) for track_id in track_ids]

    def mean_parts(self, track_ids: Iterable[str]) -> dict[str, Values]:
        """Each group's share of the cosine with all tracks, as the mean over some tracks.

        Raises:
            NotFoundError: no track has one of these ids.
        """
        parts = [self._parts(row) for row in self.rows(track_ids)]
        return {group: np.mean([p[group] for p in parts], axis=0) for group in GROUPS}

    def _mask(self, allowed: Iterable[str]) -> Flags:
        mask = np.zeros(len(self._ids), bool)
        mask[[self._rows[track_id] for track_id in allowed if track_id in self._rows]] = True
        return mask

    def _recording(self, row: int) -> tuple[str, str]:
        title, artist = self._titles[row].as_py() or "", self._artists[row].as_py() or ""
        return fold(_REMASTER.sub("", title)) or fold(title), fold_name(artist)

    def _neighbour(self, row: int, other: int, parts: dict[str, Values]) -> Neighbour:
        contributions = {group: float(part[other]) for group, part in parts.items()}
        pair = self._values[[row, other]]
        unknown: Flags = np.asarray(np.isnan(pair).any(axis=0))
        return Neighbour(
            id=self._ids[other],
            score=round(sum(contributions.values()), _DECIMALS),
            contributions=contributions,
            shared=self._tags.shared(row, other),
            closest=self._closest(row, other, unknown),
            years=None if unknown[-1] else (int(pair[0, -1]), int(pair[1, -1])),
            filled=tuple(name for name, gone in zip(CONTINUOUS, unknown, strict=False) if gone),
        )

    def _closest(self, row: int, other: int, unknown: Flags) -> tuple[Closeness, ...]:
        a, b = self._scaled[row], self._scaled[other]
        found = [
            Closeness(
                feature=name,
                own=float(self._values[row, i]),
                other=float(self._values[other, i]),
                distance=float(abs(a[i] - b[i])),
                product=float(a[i] * b[i]),
            )
            for i, name in enumerate(CONTINUOUS)
            if not unknown[i]
        ]
        return tuple(sorted(found, key=lambda c: (-c.product, c.feature)))


def _standardised(values: Values) -> Values:
    """Mean 0 and standard deviation 1 per column; the mean, so 0, where unknown."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    centred = np.where(known, values - mean, 0)
    deviation = np.sqrt((centred**2).sum(axis=0) / count)
    # Below a billionth of the mean it is rounding, not spread.
    flat = deviation <= 1e-9 * np.maximum(np.abs(mean), 1)
    return np.where(flat, 0.0, centred / np.where(flat, 1, deviation))


def _best_first(scores: Values, *, at_least: int) -> Iterator[int]:
    """Rows by falling score, ties by row, without those at -inf; sorts only as far as it is asked."""
    left = int(np.count_nonzero(np.isfinite(scores)))
    size, given = max(4 * at_least, 64), 0
    while given < left:
        size = min(size, left)
        threshold = np.partition(scores, len(scores) - size)[len(scores) - size]
        rows: npt.NDArray[Any] = np.flatnonzero(scores >= threshold)  # all that tie with the last
        ordered = rows[np.lexsort((rows, -scores[rows]))]
        yield from ordered[given:].tolist()
        given, size = len(ordered), 4 * size
