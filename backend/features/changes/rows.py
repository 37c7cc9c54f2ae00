"""Rows that came, went, or stand in another part."""

from __future__ import annotations

from typing import Final

from backend.features.changes.change_report import Count, RowChange, RowChanges
from backend.features.changes.side import Both

_DECIDES: Final = ("filter", "target", "min_features", "keep_unlabelled")  # on which rows there are

_ONE_SIDED: Final = """
CREATE TEMP TABLE {name} AS SELECT t.id, t.title, t.artist, t.part, CASE
    WHEN {rights} THEN 'rights'
    WHEN k.album_id IS NULL THEN 'removed'
    WHEN k.is_new THEN 'album'
    WHEN k.moved IS NOT NULL THEN 'source'
    WHEN {recipe} THEN 'recipe'
    WHEN {policy} THEN 'policy'
    WHEN {code} THEN 'code'
    ELSE 'other' END AS why
FROM {here}_tracks t ANTI JOIN {there}_tracks o USING (id) LEFT JOIN known k ON k.album_id = t.album_id
"""
_MOVED: Final = """
CREATE TEMP TABLE moved AS SELECT b.id, a.title, a.artist, b.part AS was, a.part AS is_now,
    CASE WHEN {recipe} THEN 'recipe' WHEN {code} AND NOT {touched} THEN 'code' ELSE 'group' END AS why
FROM before_tracks b JOIN after_tracks a USING (id) WHERE b.part <> a.part
"""


def rows(both: Both, *, limit: int) -> tuple[RowChanges, RowChanges, RowChanges]:
    """What came, what went, what moved."""
    before, after = both.before, both.after
    recipe = any(before.recipe.get(name) != after.recipe.get(name) for name in _DECIDES)
    reasons = {
        "rights": before.manifest.rights != after.manifest.rights,
        "recipe": recipe,
        "policy": before.manifest.policy != after.manifest.policy,
        "code": before.manifest.code != after.manifest.code,
    }
    found = []
    for name, here, there in (("came", "after", "before"), ("went", "before", "after")):
        both.rows(_ONE_SIDED.format(name=name, here=here, there=there, **reasons))
        part = {"came": "NULL AS was, part AS is_now", "went": "part AS was, NULL AS is_now"}[name]
        found.append(_told(both, f"(SELECT id, title, artist, {part}, why FROM {name})", limit=limit))
    touched = bool(found[0].rows or found[1].rows)
    both.rows(
        _MOVED.format(
            recipe=before.recipe.get("split") != after.recipe.get("split"), code=reasons["code"], touched=touched
        )
    )
    return found[0], found[1], _told(both, "moved", limit=limit)


def _told(both: Both, table: str, *, limit: int) -> RowChanges:
    counts = counted(both, f"SELECT why, count(*) FROM {table} GROUP BY why")
    shown = both.rows(f"SELECT id, title, artist, was, is_now, why FROM {table} ORDER BY id LIMIT {limit}")
    return RowChanges(
        rows=sum(c.rows for c in counts), why=counts,
        shown=tuple(RowChange(id=i, title=t, artist=a, before=b, after=n, why=w) for i, t, a, b, n, w in shown),
    )  # fmt: skip


def counted(both: Both, statement: str) -> tuple[Count, ...]:
    """Counts by reason, the greatest first."""
    found = both.rows(statement)
    return tuple(Count(why=w, rows=n) for w, n in sorted(found, key=lambda c: (-c[1], c[0])))
