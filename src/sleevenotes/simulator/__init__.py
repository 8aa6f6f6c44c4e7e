"""A small music world behind the real services' protocols, for tests, benchmarks and `--simulate`.

It follows what is known of the services (docs/reference/simulator.md) and never imports `sleevenotes.sources`:
otherwise a parser would be compared with itself.
"""
