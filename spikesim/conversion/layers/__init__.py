"""Layers of rate units, and plain recurrent cells, into layers of spiking neurons that count."""
