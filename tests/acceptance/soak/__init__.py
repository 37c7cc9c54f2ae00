"""Half an hour of everything at once: see `__main__`."""
