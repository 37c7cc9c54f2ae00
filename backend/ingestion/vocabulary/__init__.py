"""What a tag is: a genre, a mood, junk, or nothing we know. Curated by hand in the text files beside this one."""

from backend.ingestion.vocabulary.words import Kind, Word, genres, moods, tell

__all__ = ["Kind", "Word", "genres", "moods", "tell"]
