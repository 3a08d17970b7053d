"""`python -m resspec` is the command line."""

from resspec.cli import main

main()
