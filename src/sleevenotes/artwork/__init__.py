"""Covers: which of the images becomes one, what its bytes are, and where they are kept."""
