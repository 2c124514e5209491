"""From trained rate weights to spiking networks, and how faithful these are.

Names are loaded when they are first used; the stub beside this file lists them.
"""

from spikesim.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
