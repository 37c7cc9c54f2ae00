"""What a data set is, told to a person: the text of its card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pyarrow.compute as pc

from backend.ingestion.policy import ESTIMATE
from backend.services.dataset_exports.data_set import DataSet

_MARKS: Final = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|"} | {"\n": " ", "\r": " "})


def summary(dataset: DataSet) -> str:
    """One paragraph."""
    m = dataset.manifest
    target = f"to predict {m.target} ({m.target_kind})" if m.target else "without a target"
    parts = ", ".join(f"{part} {rows}" for part, rows in m.parts.items())
    return (
        f"Music tracks {target}: {sum(m.parts.values())} rows ({parts}) by {len(m.features)} features, with the tracks "
        f"themselves beside. What was known at {m.watermark.isoformat()}, rights {m.rights}. Fingerprint {m.fingerprint}."
    )


def card(dataset: DataSet) -> str:
    """The whole card as Markdown, without a header."""
    return "\n".join(_lines(dataset)) + "\n"


def _lines(dataset: DataSet) -> Iterator[str]:
    m = dataset.manifest
    yield from (f"# {plain(m.name)}", "", plain(summary(dataset)), "")
    yield from (
        "`features` has an id, the target and float32 columns; `tracks` the same rows as tracks, by the same ids.",
        "",
    )
    yield from ("## How it was split", "", *_split(dataset), "")
    yield from ("## What the parts share", "", *_certificate(dataset.document("certificate.json")), "")
    yield from ("## Whose values these are", "", *_rights(dataset), "")
    yield from ("## Synthetic and estimated values", "", *_made_up(dataset), "")
    yield from (
        "## Limits", "",
        "- Features were fitted on one part alone; what was learnt stands in the data set's `pipeline.json`.",
        "- What no source told is unknown: null in `tracks`, filled by what was learnt in `features`.",
        "- Genres and moods are what listeners and editors wrote, popularity and listeners are of the day they were read.",
        "- Which terms hold for a use is for you to decide: read those quoted above.", "",
    )  # fmt: skip
    yield from ("## How to name it", "", "```text", dataset.citation, "```", "")
    yield from ("## What was asked for", "", "```json", _json(dataset.document("recipe.json")), "```")


def _split(dataset: DataSet) -> Iterator[str]:
    yield from _table(("part", "rows"), ((part, str(rows)) for part, rows in dataset.manifest.parts.items()))
    asked = dataset.document("recipe.json").get("split")
    yield from ("", "```json", _json(asked or dataset.document("split.json")), "```")


def _certificate(certificate: dict[str, Any]) -> Iterator[str]:
    if not certificate:
        yield "No certificate was made."
        return
    if "passed" in certificate:
        yield "The certificate passed." if certificate["passed"] else "**The certificate did not pass.**"
    checks = certificate.get("checks") or []
    if checks:
        yield ""
        yield from _table(
            ("looked for", "promised to be none", "pairs found"),
            (
                (str(c.get("meaning") or c.get("name")), "yes" if c.get("expected_zero") else "no", _found(c))
                for c in checks
            ),
        )


def _found(check: dict[str, Any]) -> str:
    if check.get("unchecked"):
        return f"not looked for: {check['unchecked']}"
    return str(sum(shared.get("pairs", 0) for shared in check.get("shared") or []))


def _rights(dataset: DataSet) -> Iterator[str]:
    yield f"Level of rights: {dataset.manifest.rights}; {dataset.rights.cells} values that a source gave."
    yield ""
    yield from _table(
        ("source", "rights", "share of values", "terms"),
        ((s.source, s.rights, f"{s.share:.1%}", s.terms) for s in dataset.rights.sources),
    )


def _made_up(dataset: DataSet) -> Iterator[str]:
    rows = sum(dataset.manifest.parts.values())
    yield f"- {_synthetic_rows(dataset)} of {rows} tracks are made up (`synthetic`)."
    shares = {s.source: s for s in dataset.rights.sources}
    made_up = [s for s in shares.values() if "synthetic" in s.rights]
    yield f"- Values of synthetic sources: {', '.join(f'{plain(s.source)} {s.share:.1%}' for s in made_up) or 'none'}."
    estimated = f"{shares[ESTIMATE].share:.1%} of the values" if ESTIMATE in shares else "none"
    yield f"- Estimated, not measured: {estimated}."


def _synthetic_rows(dataset: DataSet) -> int:
    column = "synthetic"
    return sum(
        pc.sum(batch.column(0)).as_py() or 0
        for table in dataset.of("tracks")
        if column in table.schema.names
        for batch in dataset.batches(table, [column], tell=False)
    )


def _table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(plain, row))} |"


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def plain(text: str) -> str:
    """A text that Markdown shows as it is."""
    return text.translate(_MARKS)
