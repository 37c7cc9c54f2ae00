"""A split: the part of each track, and what is to be known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.splits import reading
from backend.features.splits.near import Rows
from backend.features.splits.recipe import SplitRecipe
from backend.utils.errors import InvalidInputError

Codes = npt.NDArray[np.int16]

LEFT_OUT = -1
"""The code of tracks that are in no part."""


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """How a split came out.

    Attributes:
        rows: tracks per part.
        left_out: tracks in no part: undated ones and those in a gap.
        groups: how many there are.
        largest_group: the name that the group with most tracks is dealt by; "" when there is none.
        largest_rows: its tracks.
        expected_error: per part, the standard deviation of its share (0..1) that groups of these sizes give; cuts laid by the
            rows at hand instead miss by half of a group at most.
        strata_error: with `stratify`, the most by which the share of a part misses what was wanted in any stratum, in rows.
        unnamed: tracks whose artist, album or recording is unknown.
        undated: tracks without a date, in `time`.
        in_gap: tracks left out because of the gap.
        cuts: the days, ISO 8601, that parts begin at, in `time`.
        notes: sentences on what a reader should know.
    """

    rows: dict[str, int]
    left_out: int = 0
    groups: int = 0
    largest_group: str = ""
    largest_rows: int = 0
    expected_error: dict[str, float] = field(default_factory=dict)
    strata_error: float | None = None
    unnamed: int = 0
    undated: int = 0
    in_gap: int = 0
    cuts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self) | {"cuts": list(self.cuts), "notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Which track is in which part.

    Attributes:
        recipe: what was asked for.
        ids: the tracks' ids, text, in the order of the table.
        codes: per track the number of its part in `recipe.names`, or `LEFT_OUT`.
        report: how it came out.
    """

    recipe: SplitRecipe
    ids: Any
    codes: Codes
    report: SplitReport

    @classmethod
    def of_table(cls, told: pa.Table, recipe: SplitRecipe) -> Split:
        """A split that was stored by `table`, or made elsewhere: what a certificate can be given for.

        Raises:
            InvalidInputError: `id` or `part` is missing, ids are not unique, or a part is not one of the recipe's.
        """
        ids = reading.ids(told)
        parts = reading.texts(told, "part")
        place = pc.index_in(parts, pa.array(recipe.names, pa.string()))
        if unknown := pc.unique(parts.filter(pc.and_(pc.is_null(place), pc.is_valid(parts)))).to_pylist():
            raise InvalidInputError(f"part {unknown[0]!r} is none of the recipe's parts {', '.join(recipe.names)}")
        codes = place.fill_null(LEFT_OUT).to_numpy().astype(np.int16)
        rows = {name: int(np.count_nonzero(codes == i)) for i, name in enumerate(recipe.names)}
        report = SplitReport(rows=rows, left_out=int(np.count_nonzero(codes == LEFT_OUT)))
        return cls(recipe=recipe, ids=ids, codes=codes, report=report)

    @property
    def names(self) -> tuple[str, ...]:
        """The parts, in order."""
        return self.recipe.names

    def rows(self, part: str) -> Rows:
        """The rows of a part, in the order of the table.

        Raises:
            InvalidInputError: there is no such part.
        """
        if part not in self.names:
            raise InvalidInputError(f"there is no part {part!r}; the parts are {', '.join(self.names)}")
        return np.flatnonzero(self.codes == self.names.index(part)).astype(np.int64)

    def folds(self) -> Iterator[tuple[Rows, Rows]]:
        """For each part the rows of all others and its own, as scikit-learn's `cv` takes them."""
        for code in range(len(self.names)):
            others = (self.codes != code) & (self.codes != LEFT_OUT)
            yield np.flatnonzero(others).astype(np.int64), np.flatnonzero(self.codes == code).astype(np.int64)

    def table(self) -> pa.Table:
        """Columns `id` and `part` (null where left out), in the order of the tracks."""
        codes = pa.array(self.codes, mask=self.codes == LEFT_OUT)
        part = pa.DictionaryArray.from_arrays(codes, pa.array(self.names, pa.string())).cast(pa.string())
        return pa.table({"id": self.ids, "part": part})

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that are equal for equal splits, in whatever order the tracks are."""
        digest = blake2b("\x1f".join(self.names).encode(), digest_size=16)
        ids = self.ids.to_pylist()
        for row in sorted(range(len(ids)), key=ids.__getitem__):
            digest.update(f"\x1e{ids[row]}\x1f{self.codes[row]}".encode())
        return digest.hexdigest()

    def moved_since(self, earlier: Split) -> list[str]:
        """Ids of the tracks of both splits that have another part than they had before, sorted."""
        names = dict(zip(earlier.ids.to_pylist(), earlier.table().column("part").to_pylist(), strict=True))
        now = zip(self.ids.to_pylist(), self.table().column("part").to_pylist(), strict=True)
        return sorted(track for track, part in now if track in names and names[track] != part)
