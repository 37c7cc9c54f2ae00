"""What a title's form tells: its length, and whether it names a performance, an edition or a guest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import ibis
import ibis.expr.types as ir

from backend.features.columns import Column
from backend.features.pipeline.block import Alone, Ask, Fitted, flag

# Words as they stand in brackets or after a dash; in RE2's form, which Java understands as well.
_SAYS: Final = {
    "feat": r"\b(?:feat|ft|featuring|with)\b[\. ]",
    "live": r"[\(\[-].*\blive\b",
    "remix": r"\b(?:remix|mix|edit|rework)\b",
    "remaster": r"\bre-?master(?:ed)?\b",
    "acoustic": r"\b(?:acoustic|unplugged)\b",
    "instrumental": r"\binstrumental\b",
    "demo": r"\bdemo\b",
    "part": r"\b(?:pt|part)\b\.? ?(?:\d|i|v|one|two)",
}


@dataclass(frozen=True, slots=True)
class TitleForm(Alone):
    """Length in letters and words, and a 0/1 column per thing that a title can say."""

    kind: ClassVar[str] = "title_form"

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return ("title",)

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """Nothing is learnt."""
        return {}

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        plain = [Column(name=f"title_{n}", of="title") for n in ("letters", "words")]
        return [*plain, *(Column(name=f"title_{n}", of="title", kind="category", label=n) for n in _SAYS)]

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        title: Any = ibis.coalesce(tracks.title, "").lower()
        words = title.strip().re_replace(r"\s+", " ").split(" ").length()
        sizes = [title.length(), ibis.cases((title.strip() == "", 0), else_=words)]
        return [*(s.cast("float32") for s in sizes), *(flag(title.re_search(p)) for p in _SAYS.values())]
