"""The public names of spikesim.conversion: this is their only list."""
