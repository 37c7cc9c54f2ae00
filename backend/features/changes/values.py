"""Values of the tracks that changed, in the rows that both data sets have, and why."""

from __future__ import annotations

from typing import Final

from backend.features.changes.change_report import FieldChanges, ValueChange
from backend.features.changes.rows import counted
from backend.features.changes.side import Both, quoted, text
from backend.features.quality.fields import PROVENANCE_OF

# The rows of which anything changed, each with both sides: columns are looked at one by one in these alone.
_TOUCHED: Final = """
CREATE TEMP TABLE touched AS SELECT b.id, b, a, k.moved, coalesce(k.moved IS NOT NULL, false) AS is_moved
FROM before_tracks b JOIN after_tracks a USING (id) LEFT JOIN known k ON k.album_id = a.album_id
WHERE ({differs})
"""
_FIELD: Final = """
CREATE OR REPLACE TEMP TABLE field AS SELECT id, was, is_now, gave, gives, CASE
    WHEN {rights} THEN 'rights'
    WHEN ({one_estimate}) AND NOT is_moved THEN {estimates}
    WHEN is_moved AND coalesce(gave, gives) IS NOT DISTINCT FROM coalesce(gives, gave)
        AND list_has_any(string_split(coalesce(gave, gives, ''), '+'), string_split(moved, '+')) THEN 'source'
    WHEN is_moved AND gave IS NULL AND gives IS NULL THEN 'source'
    WHEN is_moved AND gave <> gives THEN 'chosen'
    WHEN is_moved THEN 'together'
    WHEN {policy} THEN 'policy'
    WHEN {code} THEN 'code'
    ELSE {fallback} END AS why
FROM (
    SELECT id, moved, is_moved, b.{column} AS was, a.{column} AS is_now,
        json_extract_string(b.provenance, {path}) AS gave, json_extract_string(a.provenance, {path}) AS gives
    FROM touched WHERE b.{column} IS DISTINCT FROM a.{column}
)
"""


def fields(both: Both, *, limit: int) -> tuple[FieldChanges, ...]:
    """The fields that have other values, those with the most first. Leaves the table `touched`: rows with any such."""
    before, after = both.before.manifest, both.after.manifest
    there = both.columns("before_tracks")
    columns = [c for c in both.columns("after_tracks") if c in there and c not in {"id", "part"}]
    differs = " OR ".join(f"b.{quoted(c)} IS DISTINCT FROM a.{quoted(c)}" for c in columns)
    both.rows(_TOUCHED.format(differs=differs))
    asked = (
        both.before.recipe["filter"].get("estimates", True),
        both.after.recipe["filter"].get("estimates", True),
    )
    found = []
    for column in columns:
        path = text(f'$."{PROVENANCE_OF.get(column, column)}"')
        both.rows(
            _FIELD.format(
                column=quoted(column), path=path, rights=before.rights != after.rights,
                one_estimate="gave = 'estimate' OR gives = 'estimate'",
                estimates="'estimate'" if asked[0] == asked[1] else "'recipe'",
                policy=before.policy != after.policy, code=before.code != after.code,
                fallback="'recording'" if column == "recording_id" else "'other'",
            )
        )  # fmt: skip
        counts = counted(both, "SELECT why, count(*) FROM field GROUP BY why")
        if counts:
            shown = both.rows(
                "SELECT id, was::VARCHAR, is_now::VARCHAR, gave, gives, why FROM field ORDER BY id LIMIT ?", [limit]
            )
            found.append(
                FieldChanges(
                    field=column, rows=sum(c.rows for c in counts), why=counts,
                    shown=tuple(
                        ValueChange(id=i, before=b, after=n, source_before=s, source_after=t, why=w)
                        for i, b, n, s, t, w in shown
                    ),
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda f: (-f.rows, f.field)))
