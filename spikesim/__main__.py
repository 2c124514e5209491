"""``python -m spikesim``."""

from spikesim.cli import main

main()
