"""Networks of discrete-time spiking neurons, run on the engine one step for one step."""
