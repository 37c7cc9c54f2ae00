"""Numbers in wishes: tempo, years and decades, lengths, popularity, values of features."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from backend.features.discovery.wish_words import NUMBERS
from backend.features.discovery.wishes import Range

_N: Final = r"(-?(?:\d{1,6}(?:\.\d{1,4})?|\.\d{1,4}))"
_P: Final = r"(\d{1,6}(?:\.\d{1,4})?|\.\d{1,4})"
_TO: Final = r"\s*(?:-|to|and|until|\.\.\.?)\s*"
_LESS: Final = (
    r"(?:under|below|at most|up to|no more than|max\.?|maximum|<=|<|≤|"
    r"(?:less|slower|shorter|lower|quieter) than)\s*"
)
_MORE: Final = (
    r"(?:over|above|at least|no less than|min\.?|minimum|>=|>|≥|"
    r"(?:more|faster|longer|higher|louder|greater) than)\s*"
)
_END: Final = r"(?![\w%])(?!\.\d)"
_YEAR: Final = r"((?:1[0-9]|20)\d\d)"
_TENS: Final = {
    "twenties": 2020, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960, "seventies": 1970,
    "eighties": 1980, "nineties": 1990, "noughties": 2000,
}  # fmt: skip
_DECADE: Final = rf"(early |mid |late |early-|mid-|late-)?(\d0s|(?:1[0-9]|20)\d0s|{'|'.join(_TENS)})"
_PARTS: Final = {"": (0, 9), "early": (0, 3), "mid": (3, 6), "late": (6, 9)}
_MINUTES: Final = r"\s*(?:minutes?|mins?\b\.?)"
_CLOCK: Final = r"(\d{1,2}):([0-5]\d)"


@dataclass(frozen=True, slots=True)
class Number:
    """A range that was read.

    Attributes:
        meaning: the range.
        end: where it ends in the text.
        is_target: whether one value was said, which only the nearest will have.
    """

    meaning: Range
    end: int
    is_target: bool = False


Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[Range, bool] | None]]


def read(text: str, at: int) -> Number | None:
    """The number that begins here, with what it measures; None when there is none.

    Args:
        text: in the form of `wish_parser.normal`.
        at: where to look.
    """
    if at and (text[at - 1].isalnum() or text[at - 1] == "."):
        return None
    for pattern, meant in _RULES:
        if (found := pattern.match(text, at)) is not None and (said := meant(found)) is not None:
            return Number(said[0], found.end(), is_target=said[1])
    return None


def _rules() -> Iterator[Rule]:
    yield from _quantity("tempo", least=20, most=400, unit=r"\s*(?:bpm|beats per minute)")
    yield from _decades()
    yield from _lengths()
    for name, (field, least, most) in sorted(NUMBERS.items(), key=lambda item: -len(item[0])):
        yield from _quantity(
            field, least=least, most=most, name=rf"{name}\s*(?:of|is|=|:|from|between|about|around|~)?\s*"
        )
    yield from _quantity("loudness", least=-60, most=10, unit=r"\s*db")
    yield from _years()


def _quantity(field: str, *, least: float, most: float, unit: str = "", name: str = "") -> Iterator[Rule]:
    """Values of one field, from a unit behind them or a name before."""
    signed = _N if least < 0 else _P
    percent = r"(%)?" if (least, most) == (0.0, 1.0) else r"()"

    def value(text: str, sign: str | None) -> float | None:
        number = float(text) / (100 if sign else 1)
        return number if least <= number <= most else None

    def between(m: re.Match[str]) -> tuple[Range, bool] | None:
        low, high = value(m[1], m[3]), value(m[2], m[3])
        return None if low is None or high is None or low > high else (Range(field, low, high), False)

    def below(m: re.Match[str]) -> tuple[Range, bool] | None:
        high = value(m[1], m[2])
        return None if high is None else (Range(field, None, high), False)

    def above(m: re.Match[str]) -> tuple[Range, bool] | None:
        low = value(m[1], m[2])
        return None if low is None else (Range(field, low, None), False)

    def exact(m: re.Match[str]) -> tuple[Range, bool] | None:
        only = value(m[1], m[2])
        return None if only is None else (Range(field, only, only), True)

    def rule(pattern: str, meant: Callable[[re.Match[str]], tuple[Range, bool] | None]) -> Rule:
        return re.compile(pattern + _END), meant

    yield rule(rf"{name}(?:between |from )?{signed}{_TO}{signed}{percent}{unit}", between)
    yield rule(rf"{name}{_LESS}{signed}{percent}{unit}", below)
    yield rule(rf"{name}{_MORE}{signed}{percent}{unit}", above)
    yield rule(rf"{name}{signed}{percent}{unit}\s*(?:\+|or (?:more|faster|higher|louder))", above)
    yield rule(rf"{name}{signed}{percent}\+{unit}", above)
    yield rule(rf"{name}{signed}{percent}{unit}\s*or (?:less|slower|lower|quieter)", below)
    yield rule(rf"{name}{signed}{percent}{unit}", exact)


def _decades() -> Iterator[Rule]:
    def one(m: re.Match[str]) -> tuple[Range, bool]:
        low, high = _decade(m[1], m[2])
        return Range("release_year", low, high), False

    def two(m: re.Match[str]) -> tuple[Range, bool] | None:
        low, _ = _decade(m[1], m[2])
        _, high = _decade(m[3], m[4])
        return (Range("release_year", low, high), False) if low <= high else None

    def before(m: re.Match[str]) -> tuple[Range, bool]:
        return Range("release_year", None, _decade(m[1], m[2])[0] - 1), False

    def after(m: re.Match[str]) -> tuple[Range, bool]:
        return Range("release_year", _decade(m[1], m[2])[1] + 1, None), False

    yield re.compile(rf"(?:between |from )?(?:the )?{_DECADE}{_TO}(?:the )?{_DECADE}{_END}"), two
    yield re.compile(rf"(?:before|older than) (?:the )?{_DECADE}{_END}"), before
    yield re.compile(rf"(?:after) (?:the )?{_DECADE}{_END}"), after
    yield re.compile(rf"{_DECADE}{_END}"), one


def _decade(part: str | None, name: str) -> tuple[int, int]:
    """The years of a decade. Two digits: the 30s to 90s are of the last century, the 00s to 20s of this one."""
    digits = name[:-1]
    if name in _TENS:
        first = _TENS[name]
    elif len(digits) == 4:
        first = int(digits)
    else:
        first = int(digits) + (1900 if int(digits) >= 30 else 2000)
    low, high = _PARTS[(part or "").strip(" -")]
    return first + low, first + high


def _years() -> Iterator[Rule]:
    def between(m: re.Match[str]) -> tuple[Range, bool] | None:
        low = int(m[1])
        high = int(m[2]) if len(m[2]) == 4 else low - low % 100 + int(m[2])
        return (Range("release_year", low, high), False) if low <= high else None

    yield re.compile(rf"(?:between |from )?{_YEAR}{_TO}((?:1[0-9]|20)\d\d|\d\d){_END}"), between
    yield (
        re.compile(rf"(?:before|older than|<)\s*{_YEAR}{_END}"),
        lambda m: (Range("release_year", None, int(m[1]) - 1), False),
    )
    yield (
        re.compile(rf"(?:until|up to|<=|≤)\s*{_YEAR}{_END}"),
        lambda m: (Range("release_year", None, int(m[1])), False),
    )
    yield (
        re.compile(rf"(?:after|newer than|>)\s*{_YEAR}{_END}"),
        lambda m: (Range("release_year", int(m[1]) + 1, None), False),
    )
    yield re.compile(rf"(?:since|from|>=|≥)\s*{_YEAR}{_END}"), lambda m: (Range("release_year", int(m[1]), None), False)
    yield re.compile(rf"{_YEAR}{_END}"), lambda m: (Range("release_year", int(m[1]), int(m[1])), False)


def _lengths() -> Iterator[Rule]:
    yield from _spans(_P, _MINUTES, lambda groups: [float(g) * 60_000 for g in groups])
    yield from _spans(_P, r"\s*(?:seconds?|secs?\b\.?)", lambda groups: [float(g) * 1_000 for g in groups])
    yield from _spans(_CLOCK, r"(?:\s*(?:minutes?|mins?\b))?", _clock)


def _clock(groups: list[str]) -> list[float]:
    return [(int(groups[i]) * 60 + int(groups[i + 1])) * 1000.0 for i in range(0, len(groups), 2)]


def _spans(number: str, unit: str, milliseconds: Callable[[list[str]], list[float]]) -> Iterator[Rule]:
    """Lengths of tracks, in milliseconds; more than a day is none."""

    def made(low: float | None, high: float | None, *, target: bool = False) -> tuple[Range, bool] | None:
        too_long = max(v for v in (low, high) if v is not None) > 86_400_000
        if too_long or (low is not None and high is not None and low > high):
            return None
        return Range("duration_ms", low, high), target

    def values(m: re.Match[str]) -> list[float]:
        return milliseconds([g for g in m.groups() if g is not None])

    yield re.compile(rf"(?:between |from )?{number}{_TO}{number}{unit}{_END}"), lambda m: made(*values(m))
    yield re.compile(rf"{_LESS}{number}{unit}{_END}"), lambda m: made(None, values(m)[0])
    yield re.compile(rf"{_MORE}{number}{unit}{_END}"), lambda m: made(values(m)[0], None)
    yield re.compile(rf"{number}{unit}\s*(?:\+|or (?:more|longer)){_END}"), lambda m: made(values(m)[0], None)
    yield re.compile(rf"{number}{unit}\s*or (?:less|shorter){_END}"), lambda m: made(None, values(m)[0])
    yield re.compile(rf"{number}{unit}{_END}"), lambda m: made(values(m)[0], values(m)[0], target=True)


_RULES: Final = tuple(_rules())
