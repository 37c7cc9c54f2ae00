"""Finding names by what people type: exact ones first, then beginnings, then parts, then what is spelt nearly so.

Similarity is PostgreSQL's pg_trgm, of folded names; its indexes answer both the parts and the near spellings.
"""

from __future__ import annotations

from typing import Final

from backend.repositories.track_filter import containing
from backend.utils.text import fold_name

THRESHOLD: Final = 0.35
"""Of word similarity, from which on a name may be meant: two letters changed places, one of two words misspelt."""
SET_THRESHOLD: Final = f"SET LOCAL pg_trgm.word_similarity_threshold = {THRESHOLD}"
"""To be run in the transaction that searches; the operator `%>` goes by it."""
BY_INDEX: Final = "SET LOCAL enable_seqscan = off"
"""Likewise: the planner takes `%>` for as cheap as `=`, and compares ten thousand names rather than use the index."""


def has_words(q: str) -> bool:
    """Whether there is anything to fold; signs alone ("+", "_") are looked for as they are written."""
    return any(c.isalnum() for c in q)


def parameters(q: str) -> list[str | None]:
    """What `fitting` and `order` bind, from one number on: what was typed, folded, and as a part of a name."""
    folded = fold_name(q)
    return [folded, containing(folded)]


def fitting(columns: tuple[str, ...], first: int) -> str:
    """The condition that a row has a name like it in one of the folded columns."""
    found = (f"{column} LIKE ${first + 1} OR {column} %> ${first}" for column in columns)
    return f"({' OR '.join(found)})"


def order(columns: tuple[str, ...], first: int) -> str:
    """How far a row is from what was typed, as a whole number, the nearest least."""
    q = f"${first}::text"
    exact = " OR ".join(f"{column} = {q}" for column in columns)
    begins = " OR ".join(f"starts_with({column}, {q})" for column in columns)
    part = " OR ".join(f"{column} LIKE ${first + 1}" for column in columns)
    whole = " || ' ' || ".join(columns)
    near = ", ".join((*(f"similarity({column}, {q})" for column in columns), f"similarity({whole}, {q})"))
    rank = f"CASE WHEN {exact} THEN 0 WHEN {begins} THEN 1 WHEN {part} THEN 2 ELSE 3 END"
    return f"({rank} * 1000000 + round((1 - greatest({near})) * 999999)::integer)"
