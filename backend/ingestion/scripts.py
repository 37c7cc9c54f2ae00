"""Names in other scripts: letters written in Latin ones, so that "Кино" meets "Kino"; ideographs stay what they are."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

# After folding, in which й is и and ё is е.
_LETTERS: Final = {
    **dict(zip("абвгдезийклмнопрстуфыэіїєґўљњћџј", "abvgdeziiklmnoprstufyeiiegulncdj", strict=True)),
    "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya", "ђ": "d",
    **dict(zip("αβγδεζηικλμνξοπρστυφω", "avgdeziiklmnxoprstyfo", strict=True)), "θ": "th", "χ": "ch", "ψ": "ps",
}  # fmt: skip
# Hepburn where the letters' Unicode names are systematic.
_KANA: Final = {"SI": "shi", "TI": "chi", "TU": "tsu", "HU": "fu", "ZI": "ji", "DI": "ji", "DU": "zu", "WO": "o"}
_KANA_NAME: Final = re.compile(r"(?:HIRAGANA|KATAKANA) LETTER (SMALL )?([A-Z]+)")
_HANGUL_NAME: Final = re.compile(r"HANGUL SYLLABLE ([A-Z]+)")
_LONG: Final = "ー"
_VOICING: Final = re.compile("[\u3099\u309a]")
_MISREAD: Final = re.compile("[ÂÃÄÅÐÑØÙâãäåæçèéìíð][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u2122]")
# In which romanisations differ; applied to both sides.
_ALIKE: Final = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        ("shch|sch", "sh"), ("kh", "h"), ("ts|tz", "c"), ("ph", "f"), ("ck", "k"), ("x", "ks"), ("w", "v"),
        ("[jy]", "i"), ("iu", "u"), ("ou|oo", "o"), ("uu", "u"), (r"(.)\1+", r"\1"), ("ii", "i"),
    )
)  # fmt: skip


@lru_cache(maxsize=8_192)
def repair(text: str) -> str:
    """Text that was written as UTF-8 and read as Windows-1252, as it was meant; any other as it is.

    >>> repair("BeyoncÃ©"), repair("Beyoncé"), repair("Eâ€¢MOâ€¢TION"), repair("Ã")
    ('Beyoncé', 'Beyoncé', 'E•MO•TION', 'Ã')
    """
    if not _MISREAD.search(text):
        return text
    try:
        return b"".join(_byte(c) for c in text).decode()
    except UnicodeError:
        return text


def _byte(letter: str) -> bytes:
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")  # five bytes that Windows-1252 leaves open


@lru_cache(maxsize=8_192)
def romanise(folded: str) -> str:
    """A folded name in Latin letters as far as its script has an alphabet.

    >>> romanise("группа крови"), romanise("방탄소년단"), romanise("ちょっと"), romanise("東京")
    ('gruppa krovi', 'bangtansonyeondan', 'chotto', '東京')
    """
    if folded.isascii():
        return folded
    found: list[str] = []
    for letter in folded:
        _write(letter, found)
    return "".join(found).replace("\0", "")


def _write(letter: str, found: list[str]) -> None:
    if letter.isascii():
        found.append(letter)
        return
    if letter in _LETTERS:
        found.append(_LETTERS[letter])
        return
    name = unicodedata.name(letter, "")
    if hangul := _HANGUL_NAME.fullmatch(name):
        found.append(hangul[1].lower())
    elif kana := _KANA_NAME.fullmatch(name):
        _write_kana(_KANA.get(kana[2], kana[2].lower()), is_small=kana[1] is not None, found=found)
    elif letter != _LONG:
        found.append(letter)


def _write_kana(sound: str, *, is_small: bool, found: list[str]) -> None:
    last = found[-1] if found else ""
    if last == "\0":  # a small tsu doubles what follows
        found[-1] = sound[:1]
    if is_small and sound == "tsu":
        found.append("\0")
    elif is_small and last[-1:] in {"i", "u", "e", "o"} and len(last) > 1:  # ki + small ya
        found[-1] = last[:-1]
        found.append(sound[1:] if last[:-1] in {"sh", "ch", "j"} and sound[0] == "y" else sound)
    else:
        found.append(sound)


@lru_cache(maxsize=8_192)
def skeleton(folded: str) -> str:
    """What romanisations of one name have in common.

    >>> skeleton(romanise("звери")) == skeleton("zveri"), skeleton(romanise("цой")) == skeleton("tsoy")
    (True, True)
    """
    text = romanise(folded).replace(" ", "")
    for pattern, plain in _ALIKE:
        text = pattern.sub(plain, text)
    return text


@lru_cache(maxsize=8_192)
def is_latin(folded: str) -> bool:
    """Whether a folded name is written in Latin letters, digits or signs alone."""
    return folded.isascii() or not any(c.isalpha() and not unicodedata.name(c, "").startswith("LATIN") for c in folded)


@lru_cache(maxsize=8_192)
def is_dense(folded: str) -> bool:
    """Whether a letter is a syllable or a word here, so that one astray makes another name."""
    return any(unicodedata.name(c, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")) for c in folded)


def without_voicing(folded: str) -> str:
    """Kana without the marks that get lost where accents are stripped, and without blanks."""
    return _VOICING.sub("", unicodedata.normalize("NFD", folded)).replace(" ", "").replace(_LONG, "")
