"""Putting a report of changes together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pyarrow as pa

from backend.features.changes.change_report import Changes, Told
from backend.features.changes.computed import columns, features
from backend.features.changes.documents import differences
from backend.features.changes.rows import rows
from backend.features.changes.side import Both, Side, opened
from backend.features.changes.values import fields
from backend.models.datasets import Manifest


def compare(before: Side, after: Side, known: pa.Table, *, limit: int) -> Changes:
    """How one data set differs from another.

    Args:
        before: the one.
        after: the other.
        known: see `side.opened`.
        limit: the most rows, values and learnt figures shown of each kind; all are counted.

    Raises:
        InvalidInputError: a file is damaged or gone.
    """
    with opened(before, after, known) as both:
        came, went, moved = rows(both, limit=limit)
        values = fields(both, limit=limit)
        columns_came, columns_went = columns(both)
        learnt = list(_learnt(both))
        return Changes(
            before=before.manifest.fingerprint,
            after=after.manifest.fingerprint,
            same=before.manifest.fingerprint == after.manifest.fingerprint,
            about=tuple(differences(_about(before.manifest), _about(after.manifest))),
            recipe=tuple(differences(before.recipe, after.recipe)),
            rows_before=sum(before.manifest.parts.values()),
            rows_after=sum(after.manifest.parts.values()),
            came=came,
            went=went,
            moved=moved,
            fields=values,
            columns_came=columns_came,
            columns_went=columns_went,
            features=features(both),
            learnt=tuple(islice(learnt, limit)),
            learnt_in_all=len(learnt),
        )


def _about(manifest: Manifest) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(manifest)
    return {name: told[name] for name in ("name", "watermark", "policy", "code", "rights", "target", "parts", "lost")}


def _learnt(both: Both) -> Iterator[Told]:
    """What the blocks learnt otherwise, block by block; blocks of other kinds are told by the recipe."""
    was, now = both.before.pipeline["blocks"], both.after.pipeline["blocks"]
    if [b["kind"] for b in was] != [b["kind"] for b in now]:
        return
    for i, (one, other) in enumerate(zip(was, now, strict=True)):
        yield from differences(one, other, f"{one['kind']}[{i}]")
