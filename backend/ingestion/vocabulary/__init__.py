"""What a tag is: a genre, a mood, junk, or nothing we know. Curated by hand in the text files beside this one.

`genres.txt` and `moods.txt`: canonical names with other spellings. `junk.txt`: patterns of what is neither. `places.txt`: alone
junk, before a genre part of its name. `manners.txt`: other words that may stand before a genre.
"""

from backend.ingestion.vocabulary.words import Kind, Word, genres, moods, tell

__all__ = ["Kind", "Word", "genres", "moods", "tell"]
