"""Rate models of networks and their training by gradients, in NumPy alone.

Arrays are (time, trials, units); weights are (to, from). Names are loaded when they are first
used; the stub beside this file lists them.
"""

from spikesim.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
