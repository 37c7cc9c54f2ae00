"""From tracks to numbers, as a transformer of scikit-learn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from backend.features.columns import Column, with_unique_names
from backend.features.pipeline import recipe, tables
from backend.features.pipeline.audio import Audio
from backend.features.pipeline.block import ROW, Block, Fitted
from backend.features.pipeline.engine import TRACKS, DuckEngine, Engine, Prepared
from backend.features.pipeline.numbers import Flag, Numbers
from backend.features.pipeline.tables import Tracks
from backend.features.pipeline.tags import MultiHot
from backend.utils.errors import InvalidInputError

FORMAT: Final = "tensoe.track-features"
VERSION: Final = 1
DEFAULT: Final[tuple[Block, ...]] = (
    Numbers(), Audio(), MultiHot(field="genres", most=50), MultiHot(field="moods", most=30), Flag(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Plan:
    prepared: Prepared
    sides: Mapping[str, pa.Table]


class TrackFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Features of tracks: float32, nothing missing, a name per column.

    `fit` learns from the training tracks alone – medians, which tags are frequent, embeddings, artists' figures – and `transform`
    gives any track its columns by what was learnt. Both take a `pyarrow.Table` (what `TrackReader.arrow` and exports give),
    a Polars or a pandas DataFrame; `transform` and `batches` also a `RecordBatchReader`.

    Args:
        blocks: what to compute, in the order of the columns; None for numbers, audio features, 50 genres, 30 moods, explicit.
        sparse: whether `transform` gives a `scipy.sparse.csr_array` in place of an array.
        engine: computes it; None for DuckDB with all cores.
    """

    def __init__(
        self, blocks: Sequence[Block] | None = None, *, sparse: bool = False, engine: Engine | None = None
    ) -> None:
        self.blocks = blocks
        self.sparse = sparse
        self.engine = engine

    # -- scikit-learn's -------------------------------------------------------------------------------

    def fit(self, X: Tracks, y: object = None) -> Self:
        """Learn from training tracks.

        Args:
            X: n tracks with the fields in `reads`.
            y: not looked at.

        Raises:
            InvalidInputError: this is no table of tracks, or a field is missing.
        """
        table = tables.prepare(X, self.reads)
        if isinstance(table, pa.RecordBatchReader):
            table = table.read_all()
        unbound = _unbound(table.schema)
        engine = self._engine()
        self.fitted_: tuple[Fitted, ...] = tuple(
            block.fit(unbound, lambda expression: engine.table(expression, {TRACKS: table})) for block in self._blocks()
        )
        self._set()
        return self

    def transform(self, X: Tracks) -> Any:
        """The features of tracks, n × `len(columns_)`, rows in their order; float32.

        Raises:
            InvalidInputError: this is no table of tracks, or a field is missing.
            sklearn.exceptions.NotFittedError: nothing was learnt yet.
        """
        check_is_fitted(self)
        prepared = tables.prepare(X, self.reads)
        known = prepared.num_rows if isinstance(prepared, pa.Table) else None
        if not self.columns_:  # no term was frequent enough
            rows = known if known is not None else sum(batch.num_rows for batch in prepared)
            return (scipy.sparse.csr_array if self.sparse else np.empty)((rows, 0), dtype=np.float32)
        reader = self._stream(prepared)
        if self.sparse:
            empty = scipy.sparse.csr_array((0, len(self.columns_)), dtype=np.float32)
            filled = (scipy.sparse.csr_array(_dense(batch)) for batch in reader if batch.num_rows)
            return scipy.sparse.vstack([empty, *filled], format="csr")
        if known is None:
            parts = [_dense(batch) for batch in reader]
            return np.concatenate([np.empty((0, len(self.columns_)), np.float32), *parts])
        # Column by column, as the engine gives them and as data frames hold them.
        out = np.empty((known, len(self.columns_)), np.float32, order="F")
        start = 0
        for batch in reader:
            for j, column in enumerate(batch.columns):
                out[start : start + batch.num_rows, j] = column.to_numpy(zero_copy_only=False)
            start += batch.num_rows
        return out

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:
        """The columns' names."""
        check_is_fitted(self)
        return np.array([column.name for column in self.columns_], object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Tables with named fields, strings and lists: scikit-learn's checks of arrays of numbers do not apply.
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {k: v for k, v in state.items() if k != "_plans"}

    # -- ours ------------------------------------------------------------------------------------------

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields of a track that the features are computed from."""
        return tuple(dict.fromkeys(field for block in self._blocks() for field in block.reads))

    def batches(self, X: Tracks) -> pa.RecordBatchReader:
        """The features as Arrow, batch by batch, rows in their order: never more than a few batches in memory."""
        check_is_fitted(self)
        return self._stream(tables.prepare(X, self.reads))

    def to_json(self) -> dict[str, Any]:
        """All that was learnt, with the blocks' options: JSON values, versioned."""
        check_is_fitted(self)
        pairs = zip(self._blocks(), self.fitted_, strict=True)
        held = [{**recipe.to_json(block), "fitted": dict(fitted)} for block, fitted in pairs]
        return {"format": FORMAT, "version": VERSION, "blocks": held}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], *, sparse: bool = False, engine: Engine | None = None) -> Self:
        """The fitted transformer that `to_json` wrote.

        Raises:
            InvalidInputError: this is none, of a later version, or a block cannot be read.
        """
        if values.get("format") != FORMAT or not isinstance(values.get("blocks"), list):
            raise InvalidInputError(
                f"this is no fitted pipeline: its format is {values.get('format')!r}, not {FORMAT!r}"
            )
        if values.get("version") != VERSION:
            raise InvalidInputError(
                f"this pipeline is of version {values.get('version')!r}, which this Tensoe cannot read; it reads {VERSION}"
            )
        blocks = [recipe.from_json({k: v for k, v in b.items() if k != "fitted"}) for b in values["blocks"]]
        made = cls(tuple(blocks), sparse=sparse, engine=engine)
        made.fitted_ = tuple(b["fitted"] for b in values["blocks"])
        made._set()
        return made

    def fingerprint(self) -> str:
        """`to_json` as text that is equal when it is: keys sorted, nothing between."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def _blocks(self) -> tuple[Block, ...]:
        return DEFAULT if self.blocks is None else tuple(self.blocks)

    def _engine(self) -> Engine:
        return _SHARED if self.engine is None else self.engine

    def _set(self) -> None:
        pairs = zip(self._blocks(), self.fitted_, strict=True)
        self.columns_: tuple[Column, ...] = with_unique_names(c for b, f in pairs for c in b.columns(f))
        self._plans: dict[pa.Schema, _Plan] = {}

    def _stream(self, tracks: pa.Table | pa.RecordBatchReader) -> pa.RecordBatchReader:
        if isinstance(tracks, pa.Table):
            return self._run(tracks)
        # Expressions with joins look at the tracks more than once, a reader can be read but once: batch by batch.
        parts = (self._run(pa.Table.from_batches([batch])) for batch in tracks)
        schema = self._schema()
        return pa.RecordBatchReader.from_batches(schema, (batch for part in parts for batch in part))

    def _schema(self) -> pa.Schema:
        return pa.schema([(column.name, pa.float32()) for column in self.columns_])

    def _run(self, tracks: pa.Table) -> pa.RecordBatchReader:
        if not self.columns_:
            return pa.RecordBatchReader.from_batches(self._schema(), [])
        plans = self.__dict__.setdefault("_plans", {})
        plan = plans.get(tracks.schema)
        if plan is None:
            plans[tracks.schema] = plan = self._plan(tracks.schema)
        return plan.prepared.stream({TRACKS: tracks, **plan.sides})

    def _plan(self, schema: pa.Schema) -> _Plan:
        tracks = _unbound(schema)
        sides: dict[str, pa.Table] = {}
        for i, (block, fitted) in enumerate(zip(self._blocks(), self.fitted_, strict=True)):
            own = block.sides(fitted)
            named = {name: f"side_{i}_{name}" for name in own}
            sides |= {named[name]: table for name, table in own.items()}
            tracks = block.join(tracks, {n: _unbound(t.schema, name=named[n]) for n, t in own.items()})
        if sides:  # a join may have put the tracks into another order
            tracks = tracks.order_by(ROW)
        values: list[ir.Value] = []
        for block, fitted in zip(self._blocks(), self.fitted_, strict=True):
            values += block.express(tracks, fitted)
        named_values = {column.name: value for column, value in zip(self.columns_, values, strict=True)}
        return _Plan(self._engine().prepare(tracks.select(**named_values)), sides)


_SHARED: Final = DuckEngine()


def _unbound(schema: pa.Schema, *, name: str = TRACKS) -> ir.Table:
    return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)


def _dense(batch: pa.RecordBatch) -> npt.NDArray[np.float32]:
    columns: Iterator[Any] = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
    return (
        np.stack(list(columns), axis=1).astype(np.float32, copy=False)
        if batch.num_columns
        else np.empty((0, 0), np.float32)
    )
