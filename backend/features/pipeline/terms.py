"""Terms of a track (genres, moods, words of its title) as a short dense vector: TF-IDF, then a truncated SVD.

The weights are kept as whole numbers. Sums of these are exact, so that every engine, with any number of threads, gives the
same vector to the last bit; sums of floats depend on their order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal

import ibis
import ibis.expr.types as ir
import msgspec
import numpy as np
import pyarrow as pa
import scipy.sparse
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits

from backend.features.columns import Column
from backend.features.pipeline.block import ROW, Ask, Fitted
from backend.features.pipeline.tags import counts, pairs

_UNIT: Final = 1 << 20  # weights are whole multiples of 1 / _UNIT
_LEARNT_FROM: Final = 1_000_000  # tracks at the most; evenly spaced where there are more


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A vector of `dimensions` numbers; all 0 where no term is known.

    A track's TF-IDF vector has length 1 before it is projected (as scikit-learn's `TfidfVectorizer` and `TruncatedSVD` do
    it; idf = ln((1 + n) / (1 + n_term)) + 1).

    Attributes:
        field: `genres`, `moods`, or `title` (its words).
        dimensions: of the vector; fewer where there are fewer terms.
        vocabulary: the most frequent terms that are used.
        least: training tracks that a term must stand at.
        without: terms that must not be seen (the target).
        seed: of the randomised SVD.
    """

    kind: ClassVar[str] = "terms"
    field: Literal["genres", "moods", "title"]
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=512)] = 32
    vocabulary: Annotated[int, msgspec.Meta(ge=2, le=50_000)] = 2_000
    least: Annotated[int, msgspec.Meta(ge=1)] = 5
    without: tuple[str, ...] = ()
    seed: int = 0

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return (self.field,)

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """See `Block`."""
        said = self._pairs(tracks)
        found = {t: n for t, n in counts(said, ask).items() if n >= self.least and t not in self.without}
        terms = list(found)[: self.vocabulary]
        (total,) = ask(tracks.aggregate(n=tracks.count())).column("n").to_pylist()
        if len(terms) < 2:  # nothing to project
            return {"terms": [], "weights": [], "norms": []}
        idf = np.array([math.log((1 + total) / (1 + found[t])) + 1 for t in terms])
        step = max(1, math.ceil(total / _LEARNT_FROM))
        kept = said.filter(said.tag.isin(terms) & (said[ROW] % step == 0)).order_by([ROW, "tag"])
        axes = self._axes(ask(kept), terms, idf)
        return {
            "terms": terms,
            "weights": np.rint(axes * idf[:, None] * _UNIT).astype(np.int64).tolist(),
            "norms": np.rint(idf**2 * _UNIT).astype(np.int64).tolist(),
        }

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        n = len(fitted["weights"][0]) if fitted["weights"] else 0
        prefix = self.field.removesuffix("s")
        return [Column(name=f"{prefix}_svd_{i:02}", of=self.field, kind="embedding", label=str(i)) for i in range(n)]

    def sides(self, fitted: Fitted) -> Mapping[str, pa.Table]:
        """The weights of each term."""
        if not fitted["terms"]:
            return {}
        weights = np.asarray(fitted["weights"], np.int64)
        held = {f"w{i}": weights[:, i] for i in range(weights.shape[1])}
        return {"weights": pa.table({"tag": fitted["terms"], "norm": np.asarray(fitted["norms"], np.int64), **held})}

    def join(self, tracks: ir.Table, sides: Mapping[str, ir.Table]) -> ir.Table:
        """The tracks with the sums of their terms' weights."""
        if not sides:
            return tracks
        weights = sides["weights"]
        names = [c for c in weights.columns if c != "tag"]
        said = self._pairs(tracks)
        joined = said.inner_join(weights, said.tag == weights.tag)
        sums: Any = joined.group_by(_terms_row=said[ROW]).aggregate(
            **{self._name(n): joined[n].sum().cast("float64") for n in names}
        )
        # Columns by name: those of the tracks would be looked for in the sums as well, which are derived from them.
        both = tracks.left_join(sums, tracks[ROW] == sums["_terms_row"])
        return both.select(*tracks.columns, *map(self._name, names))

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        columns = self.columns(fitted)
        if not columns:
            return []
        length = (tracks[self._name("norm")] / _UNIT).sqrt()
        found = [(tracks[self._name(f"w{i}")] / _UNIT) / length for i in range(len(columns))]
        return [ibis.coalesce(value, 0.0).cast("float32") for value in found]

    def _name(self, name: str) -> str:
        return f"_{self.field}_{name}"

    def _pairs(self, tracks: ir.Table) -> Any:
        if self.field != "title":
            return pairs(tracks, self.field)
        title: Any = tracks.title
        words = title.lower().re_replace(r"[^\p{L}\p{N}]+", " ").strip().split(" ")
        said = pairs(tracks.mutate(_words=words), "_words")
        return said.filter(said.tag != "")

    def _axes(self, said: pa.Table, terms: Sequence[str], idf: Any) -> Any:
        """The directions of the most variance, n_terms × n_dimensions; on one thread, so that they repeat."""
        place = {term: i for i, term in enumerate(terms)}
        columns = np.fromiter((place[t] for t in said.column("tag").to_pylist()), np.int64, said.num_rows)
        _, rows = np.unique(said.column(ROW).to_numpy(), return_inverse=True)
        matrix = scipy.sparse.csr_array((idf[columns], (rows, columns)), shape=(int(rows.max()) + 1, len(terms)))
        lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1))
        unit = scipy.sparse.diags_array(1 / lengths) @ matrix
        # Where all tracks have the same terms nothing varies: scikit-learn divides by it for a figure that nobody reads.
        with threadpool_limits(1), np.errstate(divide="ignore", invalid="ignore"):
            found = TruncatedSVD(min(self.dimensions, len(terms) - 1), random_state=self.seed).fit(unit)
        return found.components_.T
