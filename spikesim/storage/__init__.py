"""Files of spikes and state traces (HDF5 in the SONATA layout)."""

from spikesim.storage.reports import ReportWriter, read_report
from spikesim.storage.spikes import SpikeWriter, info, open_spikes

__all__ = ["ReportWriter", "SpikeWriter", "info", "open_spikes", "read_report"]
