"""What runs when no key is set: the demo catalogue, made-up values for it, and a generator of made-up albums."""
