"""Reading the text files of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from backend.utils.text import fold


@dataclass(frozen=True, slots=True)
class Entry:
    """A line `name @ valence arousal < parent, parent = alias, alias`; all but the name may be missing.

    Attributes:
        name: the canonical spelling.
        parents: names of entries that it is a kind of.
        place: of a mood, its valence and arousal, -1..1.
        aliases: other spellings.
    """

    name: str
    parents: tuple[str, ...] = ()
    place: tuple[float, float] | None = None
    aliases: tuple[str, ...] = ()


@cache
def entries(file: str) -> tuple[Entry, ...]:
    """The lines of one file beside this module."""
    return tuple(_entry(line) for line in lines(file))


def _entry(line: str) -> Entry:
    rest, _, aliases = line.partition("=")
    rest, _, parents = rest.partition("<")
    name, _, place = rest.partition("@")
    valence, arousal = place.split() if place else ("", "")
    return Entry(
        name.strip(), _parts(parents), (float(valence), float(arousal)) if place else None, _parts(aliases)
    )  # fmt: skip


def lines(file: str) -> list[str]:
    """The lines of one file beside this module that are neither empty nor a remark."""
    text = (files(__package__) / file).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def listed(file: str) -> frozenset[str]:
    """The phrases, parted by commas, of one file beside this module, folded."""
    return frozenset(map(fold, _parts(" ".join(lines(file)))))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(",")))) if text else ()
