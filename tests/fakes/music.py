"""Made-up music that all fakes know; nothing of it exists."""

from __future__ import annotations

import re
from dataclasses import dataclass

ARTIST = "The Amber Lanterns"
ARTIST_ID = "4mb3rL4nt3rns0000000Aa"


@dataclass(frozen=True)
class Song:
    id: str
    title: str
    disc: int
    number: int
    seconds: int


@dataclass(frozen=True)
class Album:
    id: str
    title: str
    date: str
    precision: str
    songs: tuple[Song, ...]


def album(number: int, title: str, date: str, *discs: tuple[str, ...]) -> Album:
    songs = tuple(
        Song(f"s0ng{number:02d}{disc:02d}{place:02d}000000000000"[:22], name, disc, place, 100 + 7 * place)
        for disc, names in enumerate(discs, 1)
        for place, name in enumerate(names, 1)
    )
    precision = {4: "year", 7: "month", 10: "day"}[len(date)]
    return Album(f"4lbum{number:02d}000000000000000", title, date, precision, songs)


HARBOUR = album(1, "Paper Harbour", "1987-10", ("Tide", "Quay", "Salt & Rope", "Intro"), ("Intro", "Long Way Out"))
DELUXE = album(
    2,
    "Paper Harbour (Deluxe Edition)",
    "2017-10-06",
    (
        "Tide - Remastered 2017",
        "Quay - Remastered 2017",
        "Salt & Rope",
        "Intro",
        "Long Way Out",
        "Tide - Demo",
        "Lighthouse",
    ),
)
SIXTY = album(3, "Sixty Small Songs", "1999", tuple(f"Small Song No. {n}" for n in range(1, 61)))
SIGN = album(4, "+", "2004-02-29", ("Plus",))
ALBUMS = (HARBOUR, DELUXE, SIXTY, SIGN)


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def found(text: str) -> list[Album]:
    """Albums by any word of artist or title, most in common first."""
    wanted = words(text)
    scored = [(len(wanted & words(f"{ARTIST} {a.title}")), a) for a in ALBUMS]
    return [a for score, a in sorted(scored, key=lambda s: -s[0]) if score]
