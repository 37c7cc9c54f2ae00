"""Classical works: "Symphony No. 5 in C minor, Op. 67" is "Beethoven: Symphonie Nr. 5 c-moll op. 67"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from backend.utils.text import fold

_COMPOSERS: Final = frozenset({
    "albeniz", "albinoni", "bach", "barber", "bartok", "beethoven", "bellini", "berg", "berlioz", "bernstein", "bizet",
    "boccherini", "borodin", "boulez", "brahms", "britten", "bruch", "bruckner", "buxtehude", "byrd", "chopin", "copland",
    "corelli", "couperin", "czerny", "debussy", "donizetti", "dowland", "dufay", "dukas", "dvorak", "elgar", "faure",
    "franck", "gershwin", "gesualdo", "glazunov", "glinka", "gluck", "gorecki", "gounod", "grieg", "handel", "haydn",
    "hindemith", "holst", "ives", "janacek", "josquin", "khachaturian", "kodaly", "korngold", "liszt", "locatelli", "lully",
    "lutoslawski", "mahler", "massenet", "mendelssohn", "messiaen", "monteverdi", "mozart", "mussorgsky", "nielsen",
    "offenbach", "orff", "pachelbel", "paganini", "palestrina", "penderecki", "pergolesi", "poulenc", "prokofiev",
    "puccini", "purcell", "rachmaninoff", "rachmaninov", "rameau", "ravel", "reger", "reich", "respighi", "rossini", "saens",
    "satie", "scarlatti", "schoenberg", "schubert", "schumann", "scriabin", "shostakovich", "sibelius", "smetana",
    "stockhausen", "strauss", "stravinsky", "tallis", "tartini", "tchaikovsky", "telemann", "verdi", "vivaldi", "wagner",
    "walton", "weber", "webern", "widor", "xenakis", "ysaye",
})  # fmt: skip
_SPELLINGS: Final = {
    "rachmaninov": "rachmaninoff", "rachmaninow": "rachmaninoff", "tschaikowsky": "tchaikovsky", "tchaikowsky": "tchaikovsky",
    "tchaikovski": "tchaikovsky", "prokofieff": "prokofiev", "prokofjew": "prokofiev", "schostakowitsch": "shostakovich",
    "haendel": "handel", "strawinsky": "stravinsky", "mussorgski": "mussorgsky", "moussorgsky": "mussorgsky",
    "skrjabin": "scriabin", "schonberg": "schoenberg",
}  # fmt: skip
_WORDS_OF_A_NAME: Final = 4
_FORMS: Final = {
    form: re.compile(pattern)
    for form, pattern in {
        "symphony": r"\b(?:symphon(?:y|ies?|ien|ia)|sinfoni(?:a|e|en|es|as))\b",
        "concerto": r"\b(?:concert[oi]s?|konzerte?|conciertos?|klavierkonzerte?|violinkonzerte?|cellokonzerte?)\b",
        "sonata": r"\b(?:sonat(?:as?|en?|es?|inas?)|klaviersonaten?|violinsonaten?)\b",
        "quartet": r"\b(?:quartets?|quartette?|quatuors?|cuartetos?|streichquartette?)\b",
        "quintet": r"\b(?:quintets?|quintette?|klavierquintett)\b",
        "trio": r"\b(?:trios?|klaviertrios?)\b",
        "mass": r"\b(?:mass|missa|messe)\b",
        "requiem": r"\brequiem\b",
        "suite": r"\b(?:suites?|suiten)\b",
        "variations": r"\b(?:variations?|variationen)\b",
        "preludes": r"\b(?:preludes?|praludien|praeludien)\b",
        "etudes": r"\b(?:etudes?|etuden|studies)\b",
        "nocturnes": r"\bnocturnes?\b",
        "overture": r"\b(?:overture|ouverture)\b",
    }.items()
}
_SOLO: Final = {
    "piano": r"piano|klavier\w*|fortepiano", "violin": r"violin\w*|violon|geige", "cello": r"(?:violon)?cell[oi]\w*",
    "clarinet": r"clarinet|klarinett\w*", "flute": r"flute|flot\w*", "horn": r"horn", "viola": r"viola|bratsche",
    "organ": r"organ|orgel\w*",
    "trumpet": r"trumpet|trompete\w*", "oboe": r"oboe\w*", "guitar": r"guitar|gitarr\w*", "string": r"string|streich\w*",
}  # fmt: skip
_INSTRUMENTS: Final = {name: re.compile(rf"\b(?:{pattern})\b") for name, pattern in _SOLO.items()}
_NUMBER: Final = re.compile(r"\b(?:nos?|nrs?|numbers?|num|n)\s*((?:\d+)(?:(?:\s*(?:and|und|et|to|\s)\s*)\d+)*)\b")
_FORM_NUMBER: Final = re.compile(r"\b(?:symphon\w+|sinfon\w+|concerto|konzert|sonata?|quartett?)\s+(\d+)\b")
_CATALOGUE: Final = re.compile(
    r"\b(opus|op|bwv|kv|k|hob|d|rv|hwv|woo|twv|sz|buxwv)\s*(?:(?:[ivx]+)\s+)?(\d+)(?:\s*(?:no|nr|n)\s*(\d+))?\b"
)
_KEY: Final = re.compile(
    r"\b([a-h]|es|as|cis|fis|gis|dis|ut|do|re|mi|fa|sol|la|si)\s*(sharp|flat|diese|bemol)?\s+(major|minor|dur|moll|majeur|mineur|maggiore|minore)\b"
)
_GERMAN: Final = {"b": "bb", "es": "eb", "as": "ab", "cis": "c#", "fis": "f#", "gis": "g#", "dis": "d#", "h": "b"}
_SOLFA: Final = {"ut": "c", "do": "c", "re": "d", "mi": "e", "fa": "f", "sol": "g", "la": "a", "si": "b"}
_SIGNS: Final = {"sharp": "#", "diese": "#", "flat": "b", "bemol": "b"}
_MINOR: Final = frozenset({"minor", "moll", "mineur", "minore"})


@dataclass(frozen=True, slots=True)
class Work:
    """What identifies a work; "" and empty mean: not said.

    Attributes:
        form: symphony, concerto, …
        instruments: of a concerto or a sonata.
        numbers: within the composer's works of that form; several on an album of several.
        catalogue: opus, BWV, K, … with number.
        key: as "c minor".
        composers: named in the title.
    """

    form: str
    instruments: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    catalogue: frozenset[tuple[str, ...]] = frozenset()
    key: str = ""
    composers: frozenset[str] = frozenset()


@lru_cache(maxsize=8_192)
def read_work(title: str) -> Work | None:
    """The work that a title names, or None when it names none as works are named.

    >>> read_work("Symphonie Nr. 5 c-moll op. 67") == read_work("Symphony No. 5 in C minor, Op. 67")
    True
    >>> read_work("Bitter Sweet Symphony"), read_work("Requiem for a Dream")
    (None, None)
    """
    text = fold(title)
    form = next((name for name, pattern in _FORMS.items() if pattern.search(text)), "")
    if not form:
        return None
    catalogue = frozenset((_SERIES.get(m[1], m[1]), *filter(None, m.groups()[1:])) for m in _CATALOGUE.finditer(text))
    rest = _CATALOGUE.sub(" ", text)
    numbered = _NUMBER.findall(rest) or _FORM_NUMBER.findall(rest)
    key = next((_key(m) for m in _KEY.finditer(rest)), "")
    if not (numbered or catalogue or key):
        return None
    played = frozenset(name for name, pattern in _INSTRUMENTS.items() if pattern.search(text))
    return Work(form, played, frozenset(re.findall(r"\d+", " ".join(numbered))), catalogue, key, composers(title))


_SERIES: Final = {"opus": "op", "kv": "k"}


def is_same_work(one: Work, other: Work) -> bool:
    """Whether two titles name one work: nothing said differs, and a number, opus or key is said by both."""
    both = (
        (one.numbers, other.numbers), (one.catalogue, other.catalogue), (one.key, other.key),
        (one.composers, other.composers), (one.instruments, other.instruments),
    )  # fmt: skip
    if one.form != other.form or any(a and b and a != b for a, b in both):
        return False
    return any(a and b for a, b in both[:3])


@lru_cache(maxsize=8_192)
def composers(text: str) -> frozenset[str]:
    """The composers named in a title or a credit.

    >>> sorted(composers("Beethoven: Symphonie Nr. 5")), sorted(composers("Wiener Philharmoniker"))
    (['beethoven'], [])
    """
    words = fold(text).split()
    return frozenset(_SPELLINGS.get(w, w) for w in words) & _COMPOSERS


def without_catalogue(title: str) -> str:
    """A work's title without key, catalogue number and the composer before it.

    >>> without_catalogue("Bach: Goldberg Variations, BWV 988"), without_catalogue("Requiem in D minor, K. 626")
    ('goldberg variations', 'requiem')
    """
    before, colon, rest = title.partition(":")
    text = fold(rest if colon and composers(before) and len(before.split()) <= _WORDS_OF_A_NAME else title)
    bare = " ".join(_KEY.sub(" ", _CATALOGUE.sub(" ", text)).split())
    return bare.removesuffix(" in").removesuffix(" en") or text


def _key(match: re.Match[str]) -> str:
    note, sign, mode = match.groups()
    note = (_GERMAN if mode in {"dur", "moll"} else _SOLFA).get(note, note)
    return f"{note}{_SIGNS.get(sign or '', '')} {'minor' if mode in _MINOR else 'major'}"
