"""What spikes have to do with oscillations and signals, and phases with places."""
