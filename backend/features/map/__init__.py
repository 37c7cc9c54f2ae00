"""The catalogue as a plane: where each track stands, what is written where, and keeping both.

`layout` arranges some tracks, `placing` puts all others beside those that sound like them, `plane` is the whole that is stored,
`picture` is what a client draws, `columns` are what it is coloured by, `labels` what is written on it.
"""
