"""Every parser is given documents made wrong: it answers or refuses in our own words, in bounded time and memory."""
