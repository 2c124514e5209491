"""Point-process models of spikes, and whether they fit."""
