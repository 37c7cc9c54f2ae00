"""Listening histories out of the files that services give their users: pure and streaming, nothing is asked of anybody.

`files` opens what the user gives (files, folders, zips), `text_rows` makes rows of a file, `registry` knows the forms a row
may have, and `reader` puts them together.
"""
