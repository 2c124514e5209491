"""What comes from elsewhere and goes there: spikes and windows of other programs, networks.

Names are loaded when they are first used; the stub beside this file lists them.
"""

from spikesim.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
