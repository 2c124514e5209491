"""What was recorded at one time: spikes, and tables of windows beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

from spikesim import display
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows


@dataclass(frozen=True)
class Session:
    """What was recorded at one time: an NWB file's session, a segment of Neo.

    Parameters
    ----------
    spikes : SpikeTrains
    windows : dict of str to Windows
        Tables of intervals by name, such as "trials"; events are windows without length.
    """

    spikes: SpikeTrains
    windows: dict[str, Windows] = field(default_factory=dict)

    def __repr__(self) -> str:
        tables = "".join(f", {len(table)} {name!r}" for name, table in self.windows.items())
        return f"Session({self.spikes!r}{tables})"

    def _repr_html_(self) -> str:
        tables = [table._repr_html_() for table in self.windows.values()]
        return display.whole("Session", self.spikes._repr_html_(), *tables)
