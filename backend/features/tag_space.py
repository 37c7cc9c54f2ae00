"""Genres and moods as TF-IDF vectors of length 1, kept as a list of tracks per tag: exact, and small for any vocabulary."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backend.features.columns import TAGS, Flags, Values, lists
from backend.features.multihot import flat

Rows = npt.NDArray[np.int64]
GROUPS: Final = TAGS


class TagSpace:
    """The tags of n tracks. A tag's weight is ln((1 + n) / (1 + tracks with it)) + 1, as in scikit-learn.

    Args:
        table: columns `genres` and `moods`; both kinds make one vector of length 1 together.
    """

    def __init__(self, table: pa.Table) -> None:
        self._n = table.num_rows
        self.names: dict[str, list[str]] = {}
        rows, codes, start = [], [], 0
        for group in GROUPS:
            of_rows, of_codes, names = flat(lists(table, group))
            rows.append(of_rows)
            codes.append(of_codes + start)
            self.names[group] = names
            start += len(names)
        self._build(np.concatenate(rows), np.concatenate(codes), size=start)

    def _build(self, rows: Rows, codes: Rows, *, size: int) -> None:
        frequency = np.bincount(codes, minlength=size)
        weights = (np.log((1 + self._n) / (1 + frequency)) + 1)[codes]
        lengths = np.sqrt(np.bincount(rows, weights**2, minlength=self._n))
        values = weights / lengths[rows]
        by_tag = np.lexsort((rows, codes))
        self._rows_by_tag, self._values_by_tag = rows[by_tag], values[by_tag]
        self._tag_starts = np.concatenate(([0], np.cumsum(frequency)))
        by_row = np.lexsort((codes, rows))
        self._codes_by_row, self._values_by_row = codes[by_row], values[by_row]
        self._row_starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=self._n))))
        self.known: Flags = lengths > 0

    def products(self, row: int) -> dict[str, Values]:
        """The scalar product of a track with all others, split by group; the sum is 1 for equal tags."""
        first_mood = len(self.names[GROUPS[0]])
        found: dict[str, Values] = {group: np.zeros(self._n) for group in GROUPS}
        own = slice(self._row_starts[row], self._row_starts[row + 1])
        for code, value in zip(self._codes_by_row[own], self._values_by_row[own], strict=True):
            listed = slice(self._tag_starts[code], self._tag_starts[code + 1])
            group = GROUPS[0] if code < first_mood else GROUPS[1]
            found[group][self._rows_by_tag[listed]] += value * self._values_by_tag[listed]
        return found

    def shared(self, a: int, b: int) -> dict[str, list[str]]:
        """The tags that two tracks have in common, per group; the rarest first, ties by name."""
        both = np.intersect1d(self._codes(a), self._codes(b)).tolist()
        frequency = np.diff(self._tag_starts)
        names = [(group, name) for group in GROUPS for name in self.names[group]]
        ordered = sorted(both, key=lambda code: (frequency[code], names[code][1]))
        return {group: [names[code][1] for code in ordered if names[code][0] == group] for group in GROUPS}

    def _codes(self, row: int) -> Rows:
        found: Rows = self._codes_by_row[self._row_starts[row] : self._row_starts[row + 1]]
        return found
