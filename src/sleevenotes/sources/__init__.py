"""The services that know, one file each, and the contract they keep.

The registry is the literal tuple `ALL` in `sleevenotes.sources.registry`.
"""
