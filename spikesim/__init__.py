"""spikesim: spiking neural networks on the CPU, fast, without a compiler.

Names are loaded when they are first used, so that ``import spikesim`` stays quick; the stub beside
this file lists them.
"""

import sys

from spikesim.lazy import OldModules, attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(__name__, __file__)

sys.meta_path.append(OldModules)
