"""What a recipe would give, before anything is built: all fitting tracks counted, some of them dealt and featured."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from backend.models.datasets import ID, TARGET, Feature, Recipe
from backend.models.results import TrackFilter
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.repositories.track_pages import TrackPages
from backend.repositories.track_reader import TrackReader
from backend.utils.errors import BusyError, InvalidInputError

if TYPE_CHECKING:
    from backend.features.data_set import Built

MOST_LOOKED_AT: Final = 5_000
"""Tracks that a preview reads; albums' ids are no order of anything, so the first of them stand for all."""
_SHOWN: Final = 8
_MOST_WAITING: Final = 8
_MOST_CLASSES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCoverage:
    """How many of the rows know a field; share 0..1."""

    field: str
    known: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLabels:
    """The target over the rows: of how many it is known, and its most frequent classes (none of numbers)."""

    known: int
    classes: list[tuple[str, int]]
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """A row as it would stand in the data set.

    Attributes:
        id: of the track.
        title: of it.
        artist: of it.
        part: where it would stand.
        target: y; None without one, or where it is unknown.
        values: of the features, in their order.
    """

    id: str
    title: str
    artist: str
    part: str
    target: float | str | None
    values: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a recipe would give.

    Attributes:
        fitting: tracks that the filter takes, all of them.
        looked_at: of them, those that the rest is told of.
        whole: whether these are all.
        usable: of those looked at, the ones with a target and enough fields.
        parts: rows per part.
        left_out: usable rows in no part.
        target: as y is called; None without one.
        target_kind: "number", "class", "flag", or None.
        features: the columns.
        coverage: per field of the tracks that can be used.
        labels: None without a target.
        certificate: as `certificate.json` of a data set, without what would take long.
        notes: what the split has to say.
        first: some rows of each part.
    """

    fitting: int
    looked_at: int
    whole: bool
    usable: int
    parts: dict[str, int]
    left_out: int
    target: str | None
    target_kind: str | None
    features: list[Feature]
    coverage: list[FieldCoverage]
    labels: PreviewLabels | None
    certificate: dict[str, Any]
    notes: list[str]
    first: list[PreviewRow]


class DataSetPreview:
    """Looks ahead at data sets.

    Args:
        pages: counts what fits.
        tracks: reads some of it.
        most: tracks that one looks at.
    """

    def __init__(self, pages: TrackPages, tracks: TrackReader, *, most: int = MOST_LOOKED_AT) -> None:
        self._pages = pages
        self._tracks = tracks
        self._most = most
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def of(self, asked: Recipe) -> Preview:
        """What this recipe would give by what is known now.

        Raises:
            InvalidInputError: the recipe cannot be followed, or asks for a past moment.
            BusyError: many are being made already.
        """
        if asked.as_of is not None:
            raise InvalidInputError("a preview looks at what is known now: leave as_of out; a build takes it")
        if self._waiting >= _MOST_WAITING:
            raise BusyError("Many previews are being made; ask again in a moment", retry_after=2)
        self._waiting += 1
        try:
            async with self._turn:
                fitting = await self._pages.count(asked.filter)
                first = await self._pages.bounds(asked.filter, limit=self._most)
                return await asyncio.to_thread(self._look, asked, first.rows, fitting)
        finally:
            self._waiting -= 1

    def _look(self, asked: Recipe, rows: TrackFilter, fitting: int) -> Preview:
        import pyarrow as pa  # late: start-up does not wait for Arrow and scikit-learn

        from backend.features.data_set import build
        from backend.features.quality import coverage

        tracks = self._tracks.arrow(rows, limit=self._most, columns=FLAT_COLUMNS)
        built = build(tracks, replace(asked, naive_gain=False), day=datetime.now(UTC).date())
        known = coverage.coverage(built.tracks, pa.concat_tables(built.tracks.values()))
        usable = sum(table.num_rows for table in built.tracks.values())
        return Preview(
            fitting=max(fitting, tracks.num_rows), looked_at=tracks.num_rows, whole=fitting <= tracks.num_rows,
            usable=usable + built.certificate.left_out, left_out=built.certificate.left_out,
            parts={name: table.num_rows for name, table in built.tracks.items()},
            target=built.target.name if built.target else None, target_kind=built.target_kind,
            features=[Feature(name=c.name, of=c.of, kind=c.kind, label=c.label) for c in built.pipeline.columns_],
            coverage=[FieldCoverage(field=c.field, known=c.known, share=c.share) for c in known],
            labels=_labels(built), certificate=built.certificate.to_plain(), notes=list(built.split.report.notes),
            first=_first(built),
        )  # fmt: skip


def _labels(built: Built) -> PreviewLabels | None:
    if built.target is None:
        return None
    from backend.features.quality import labels  # late: it loads Arrow

    found = labels.labels(built.tracks, built.target)
    classes = [(name, sum(parts.values())) for name, parts in found.classes]
    return PreviewLabels(
        known=sum(found.known.values()), classes=classes[:_MOST_CLASSES],
        left=found.left + max(0, len(classes) - _MOST_CLASSES),
    )  # fmt: skip


def _first(built: Built) -> list[PreviewRow]:
    """The same number of rows of each part, as far as there are any."""
    each = max(1, _SHOWN // len(built.tracks))
    rows = []
    for part, tracks in built.tracks.items():
        names = tracks.select(["id", "title", "artist"]).slice(0, each).to_pylist()
        for name, values in zip(names, built.features[part].slice(0, each).to_pylist(), strict=True):
            y = values.pop(TARGET, None)
            del values[ID]
            rows.append(PreviewRow(**name, part=part, target=y, values=list(values.values())))
    return rows[:_SHOWN]
