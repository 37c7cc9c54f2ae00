"""A listener's taste in figures: plays become weights of the catalogue's tracks, and everything is computed from those."""
