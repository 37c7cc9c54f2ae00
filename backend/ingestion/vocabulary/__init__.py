"""What a tag is: a genre, a mood, junk, or nothing we know. Curated by hand in the text files beside this one.

`genres.txt`: canonical names with what they are a kind of and other spellings. `moods.txt`: likewise, with their place on valence
and arousal. `spellings.txt`: more spellings of both, in other languages and as they are misspelt. `junk.txt`: patterns of what
is neither. `places.txt`: alone junk, before a genre part of its name. `manners.txt`: other words that may stand before a genre.
`apart.txt`: words that are no misspelling of any of these.
"""

from backend.ingestion.vocabulary.genre_tree import ancestors, children, is_a, parents, roots, roots_of, tree
from backend.ingestion.vocabulary.words import Kind, Word, genres, mood_place, moods, tell

__all__ = [
    "Kind", "Word", "ancestors", "children", "genres", "is_a", "mood_place", "moods", "parents", "roots", "roots_of",
    "tell", "tree",
]  # fmt: skip
