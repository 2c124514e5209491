"""The public names of spikesim.conversion: this is their only list."""

from .weights.files import (
    read_weights as read_weights,
)
from .weights.networks import (
    load_rate_network as load_rate_network,
    network_of_weights as network_of_weights,
)
