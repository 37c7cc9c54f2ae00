"""Lists of tags as 0/1 columns: which tags, is learnt from the training tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import ibis.expr.types as ir
import msgspec

from backend.features.columns import Column, missing_flag, slug
from backend.features.pipeline.block import ROW, Alone, Ask, Fitted, flag


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiHot(Alone):
    """A 0/1 column per tag, and whether the track has no tag at all.

    Attributes:
        field: `genres` or `moods`.
        most: of the most frequent tags of the training tracks become columns; ties go by name.
        least: training tracks that a tag must stand at.
        without: tags that must not be seen (the target).
        flagged: whether there is a column for tracks without a tag. Of its own kind's target it would tell which rows are
            unlabelled.
    """

    kind: ClassVar[str] = "multi_hot"
    field: Literal["genres", "moods"]
    most: Annotated[int, msgspec.Meta(ge=0, le=5_000)] = 50
    least: Annotated[int, msgspec.Meta(ge=1)] = 1
    without: tuple[str, ...] = ()
    flagged: bool = True

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return (self.field,)

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """See `Block`."""
        found = counts(pairs(tracks, self.field), ask)
        kept = [tag for tag, n in found.items() if tag not in self.without and n >= self.least]
        return {"tags": kept[: max(self.most, 0)]}

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        prefix = self.field.removesuffix("s")
        tags = [Column(name=f"{prefix}_{slug(t)}", of=self.field, kind="tag", label=t) for t in fitted["tags"]]
        return [*tags, *([missing_flag(self.field)] if self.flagged else [])]

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        tags: Any = tracks[self.field]
        found = [flag(tags.contains(tag)) for tag in fitted["tags"]]
        return [*found, flag(tags.isnull() | (tags.length() == 0))] if self.flagged else found


def pairs(tracks: ir.Table, field: str) -> Any:
    """Each tag of each track once: columns `ROW` and `tag`."""
    tags: Any = tracks[field]
    flat = tracks.select(
        **{ROW: tracks[ROW], "tag": tags.unnest()}
    )  # (Table.unnest joins laterally: five times slower)
    return flat.filter(flat.tag.notnull()).distinct()


def counts(tags: Any, ask: Ask) -> dict[str, int]:
    """At how many tracks each tag stands; the most frequent first, ties by name (code points, on every engine)."""
    found = ask(tags.group_by("tag").aggregate(n=tags.count()))
    listed = zip(found.column("tag").to_pylist(), found.column("n").to_pylist(), strict=True)
    return dict(sorted(listed, key=lambda pair: (-pair[1], pair[0])))
