"""The public names of spikesim.interop: this is their only list."""

from .edges import (
    edge_columns as edge_columns,
    read_edges as read_edges,
)
from .lists import (
    from_events as from_events,
    from_lists as from_lists,
)
from .neo import (
    from_neo as from_neo,
    to_neo as to_neo,
)
from .nwb import (
    read_nwb as read_nwb,
    write_nwb as write_nwb,
)
from .pynapple import (
    from_pynapple as from_pynapple,
    to_pynapple as to_pynapple,
)
