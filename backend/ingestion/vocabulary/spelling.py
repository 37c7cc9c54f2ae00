"""Spellings of tags that mean the same: British and American, plurals, common errors, words that only frame."""

from __future__ import annotations

import re
from typing import Final

_SHORTEST_CLOSED: Final = 5  # letters; shorter names must be parted as they are ("rai n" is no "rain")
_SHORTEST_PLURAL: Final = 4
_VARIANTS: Final = {
    "alternitive": "alternative", "alternativ": "alternative", "alternativo": "alternative",
    "alternativa": "alternative", "armour": "armor", "centre": "center", "colour": "color", "colourful": "colorful",
    "electonic": "electronic", "electronik": "electronic", "eletronic": "electronic", "eletronica": "electronica",
    "eletro": "electro", "eletropop": "electropop", "elektro": "electro", "experimentel": "experimental",
    "favourite": "favorite", "grey": "gray", "humour": "humor", "humourous": "humorous",
    "instumental": "instrumental", "launge": "lounge", "melancolic": "melancholic", "melancolia": "melancholia",
    "melancholly": "melancholy", "musik": "music", "musica": "music", "musique": "music", "muzik": "music",
    "neighbour": "neighbor", "phsychedelic": "psychedelic", "progresive": "progressive", "psicodelia": "psychedelia",
    "psychadelic": "psychedelic", "psychodelic": "psychedelic", "psycadelic": "psychedelic", "rythm": "rhythm",
    "rythmic": "rhythmic", "skool": "school", "sombre": "somber", "symphonique": "symphonic", "theatre": "theater",
    "tranquillity": "tranquility", "agresive": "aggressive", "agressive": "aggressive", "atmosphere": "atmospheric",
    "roock": "rock", "rocks": "rock", "vocaloids": "vocaloid", "rnb": "r and b", "dnb": "drum and bass", "n": "and",
}  # fmt: skip
# What stands beside a genre or mood and adds nothing.
_BEFORE: Final = re.compile(
    r"^(?:(?:19|20)?\d0s|early|late|good|great|best|some|pure|true|very|so|really|favorite|my|old)\s+(?=\S)"
)
_AFTER: Final = re.compile(
    r"\s+(?:music|songs?|tracks?|artists?|bands?|singers?|groups?|singles?|albums?|tunes?|stuff|sounds?|vibes?|mood|genre|"
    r"(?:19|20)?\d0s|related|influenced|influences?|oriented|style|as hell)$"
)


def plainest(key: str) -> str:
    """A folded tag in the plainest of its spellings: American, singular, without common errors.

    >>> plainest("psychadelic humour"), plainest("power ballads"), plainest("blues")
    ('psychedelic humor', 'power ballad', 'blue')
    """
    words = [_VARIANTS.get(word, word) for word in key.split()]
    if words and len(words[-1]) >= _SHORTEST_PLURAL and words[-1].endswith("s") and not words[-1].endswith("ss"):
        words[-1] = words[-1][:-1]
    return " ".join(words)


def closed(key: str) -> str:
    """A folded tag written in one word; as it stands when that would be too short to be sure.

    >>> closed("post punk"), closed("r and b")
    ('postpunk', 'randb')
    """
    word = key.replace(" ", "")
    return word if len(word) >= _SHORTEST_CLOSED else key


def without_frame(key: str) -> str:
    """A folded tag without decades and words such as "music" and "songs"; empty when nothing else was said.

    >>> without_frame("80s synth pop songs"), without_frame("irish music"), without_frame("sad songs")
    ('synth pop', 'irish', 'sad')
    """
    before = None
    while key != before:
        before = key
        key = _AFTER.sub("", _BEFORE.sub("", key))
    return "" if re.fullmatch(r"(?:19|20)?\d0s|music|songs?", key) else key
