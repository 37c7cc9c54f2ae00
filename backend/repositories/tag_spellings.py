"""The canonical spellings that a genre or mood may have, from any spelling of it."""

from __future__ import annotations

from itertools import product

from backend.utils.text import fold

_MOST_GAPS = 5  # between words: 2⁵ spellings; no genre has more words


def spellings(tag: str) -> list[str]:
    """What a tag may be stored as: tags are lower case, with blanks or hyphens between words, and "&" where that is usual.

    The vocabulary itself stands in `ingestion`; here every spelling that folds to the same is looked for.

    >>> spellings("Hip-Hop"), spellings("R and B")
    (['hip-hop', 'hip hop'], ['r and b', 'r and-b', 'r-and b', 'r-and-b', 'r & b', 'r &-b', 'r-& b', 'r-&-b', 'r&b'])
    """
    folded = fold(tag)
    found = [tag.strip().lower()]
    for form in dict.fromkeys((folded, folded.replace(" and ", " & "))):
        words = form.split(" ")
        if len(words) - 1 <= _MOST_GAPS:
            found += (
                "".join(gap + word for gap, word in zip(("", *gaps), words, strict=True))
                for gaps in product(" -", repeat=len(words) - 1)
            )
    found.append(folded.replace(" and ", "&"))
    return list(dict.fromkeys(found))
