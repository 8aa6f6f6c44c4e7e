"""`python -m sleevenotes` is the command `sleevenotes`."""

from __future__ import annotations

from sleevenotes import cli

if __name__ == "__main__":
    cli.main()
