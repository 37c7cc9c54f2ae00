"""The tree of genres, as an answer."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def genre_nodes() -> dict[str, Any]:
    """Every genre with what it hangs under and its other spellings."""
    from backend.ingestion import vocabulary  # late: thousands of names that a start need not read

    nodes = vocabulary.tree()
    return {"count": len(nodes), "data": nodes}
