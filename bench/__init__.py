"""Measures Tensoe against floors and against the usual way, as ratios of one run: `python -m bench`."""
