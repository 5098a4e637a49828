"""`python -m bic`."""

from bic.cli.main import main

main()
