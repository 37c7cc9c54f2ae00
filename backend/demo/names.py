"""Names of made-up artists, albums and tracks: by number, so that none is drawn twice where it must not be."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Final

from backend.demo import words

# A prime that divides no length of a list here: steps of it visit a whole list before they repeat.
STEP: Final = 7919


def artist_name(number: int) -> str:
    """The name of the n-th artist: another one for every number; the forms take turns.

    >>> artist_name(0) != artist_name(1)
    True
    """
    form, turn = words.ARTIST_FORMS[number % len(words.ARTIST_FORMS)], number // len(words.ARTIST_FORMS)
    names = _filled(form)
    again, place = divmod(turn, len(names))
    name = names[place * STEP % len(names)]
    return f"{name} {again + 1}" if again else name


@cache
def track_titles() -> Sequence[str]:
    """All titles a track may have, each once."""
    return tuple(title for form in words.TITLE_FORMS for title in _filled(form))


@cache
def album_titles() -> Sequence[str]:
    """All titles an album may have, each once."""
    return tuple(title for form in words.ALBUM_FORMS for title in _filled(form))


@cache
def _coined() -> tuple[str, ...]:
    return tuple(first + last for first, last in product(words.COINED_FIRST, words.COINED_LAST))


class _Filled(Sequence[str]):
    """Every filling of a form, made when asked for: the longest of these lists has two million names."""

    def __init__(self, form: str) -> None:
        lists = {"adjective": words.ADJECTIVES, "noun": words.NOUNS, "coined": _coined()}
        self._form = form
        self._lists = {name: values for name, values in lists.items() if f"{{{name}}}" in form}
        self._length = 1
        for values in self._lists.values():
            self._length *= len(values)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: int) -> str:  # type: ignore[override] # slices are not needed
        if not 0 <= place < self._length:
            raise IndexError(place)
        chosen = {}
        for name, values in self._lists.items():
            place, index = divmod(place, len(values))
            chosen[name] = values[index]
        return self._form.format(**chosen)


@cache
def _filled(form: str) -> _Filled:
    return _Filled(form)
