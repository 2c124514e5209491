"""The built-in neuron models by name: what the package's list has of their folder."""

import spikesim as ss

MODELS = {
    name: getattr(ss, name)
    for name in ss.__all__
    if getattr(getattr(ss, name), "__module__", "").startswith("spikesim.description.neurons.")
}
