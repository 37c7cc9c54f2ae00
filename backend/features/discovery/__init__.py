"""Discovery: which tracks of the catalogue are like others, or like what is asked for, and why.

`blocks` and `listening` make vectors of groups of features, `space` lays them side by side with their weights, `neighbours`
finds the nearest, `query` says what is asked for, `choosing` makes a list of what was found, `index` is all of it over one
catalogue.
"""
