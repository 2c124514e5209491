"""What a kernel finds where: rows of the state, constants, what arrives."""

from collections.abc import Iterator
from dataclasses import dataclass

from spikesim.codegen.expressions import Writer
from spikesim.codegen.rows import STEEP, array_of, lane_of


@dataclass(frozen=True)
class Layout:
    """The rows of a population's state, and the lines that reach them and the constants."""

    rows: list[str]  # what is double in a kernel that is not has two each
    lanes: list[str]  # lines that find the rows of a block
    load: list[str]  # of the neuron at hand
    constants: list[str]


def layout(writer: Writer, narrow: list[str]) -> Layout:
    """Where things lie, ``narrow`` being the rows that come before constants per neuron."""
    narrow = [*narrow, *writer.per_neuron]
    doubles = [name for name, value in writer.wide.items() if value.ndim]
    width = 2 if writer.single else 1  # of what is double, in what is not
    rows = [*narrow, *(name for name in doubles for _ in range(width))]
    at = f"_state, {len(rows)} * _block"
    lanes = [f"{array_of(x)} = _lanes({at} + {n})" for n, x in enumerate(narrow)]
    for n, x in enumerate(doubles):
        lanes.append(f"{array_of(x)} = _double_lanes({at} + {len(narrow) + width * n})")
    receptors = list(writer.dynamics.arrivals)
    for n, name in enumerate(receptors):
        lanes.append(f"_{name}_in = _lanes(_ring, {len(receptors)} * (_block - _first) + {n})")
    load = [f"{row} = {lane_of(row)}" for row in [*narrow, *doubles] if row != STEEP]
    return Layout(rows, lanes, load, list(_constants(writer, width)))


def _constants(writer: Writer, width: int) -> Iterator[str]:
    """Lines that read what does not differ between neurons, doubles behind all others."""
    notes = {name: f"  # {meaning}" for name, meaning in writer.meaning.items()}
    for n, x in enumerate(writer.scalars):
        yield f"{x} = _const[{n}]{notes.get(x, '')}"
    for n, x in enumerate(name for name, value in writer.wide.items() if not value.ndim):
        place = len(writer.scalars) + width * n
        yield f"{x} = _double_at(_const, {place}){notes.get(x, '')}"
