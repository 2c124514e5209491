"""The clock-driven engine: synapses laid out in steps, inputs, and the loop over steps."""
