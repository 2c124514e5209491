"""What responses say of stimuli: rates, tuning, decoders, latencies, information."""
