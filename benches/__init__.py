"""Benchmarks: `python -m benches.NAME`; the last line of each is one JSON object of named figures."""
