"""Collecting: ask the sources, normalise, match, merge, hand over to the store."""
