"""Misspelt tags: one word mended by one letter, where only one known word can be meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from rapidfuzz.distance import OSA

_SHORTEST_WRONG: Final = 7  # letters; shorter words have too many neighbours
_SHORTEST_RIGHT: Final = 6


class Corrector:
    """Mends the one unknown word of a tag.

    A letter too many, too few, another, or two in the wrong order; the first letter is taken to be right, as it nearly always is.

    Args:
        right: words of the vocabulary, folded.
        apart: other words that are spelt as they should be.
    """

    def __init__(self, right: Iterable[str], *, apart: Iterable[str] = ()) -> None:
        self._known = {*right}
        by_start: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self._known):
            if len(word) >= _SHORTEST_RIGHT:
                by_start[word[0]].append(word)
        self._by_start: Mapping[str, list[str]] = by_start
        self._known |= {*apart}

    def corrections(self, key: str) -> list[str]:
        """What a folded tag may have been meant to be; empty when it has no or several unknown words.

        >>> Corrector(["alternative", "rock"]).corrections("altenative rock")
        ['alternative rock']
        """
        words = key.split()
        unknown = [at for at, word in enumerate(words) if word not in self._known]
        if len(unknown) != 1 or len(words[unknown[0]]) < _SHORTEST_WRONG:
            return []
        at = unknown[0]
        wrong = words[at]
        near = (w for w in self._by_start.get(wrong[0], ()) if abs(len(w) - len(wrong)) <= 1)
        found = [word for word in near if OSA.distance(wrong, word, score_cutoff=1) == 1]
        return [" ".join((*words[:at], word, *words[at + 1 :])) for word in found]
