"""Tables of synapses: CSV, Parquet, SONATA (HDF5) and NetworkX graphs, as plain arrays."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from spikesim.checks import check_whole, warn
from spikesim.data.edge_files import read_sonata_edges
from spikesim.description.edges import Edges
from spikesim.kernels.cache import kernel

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": ","}
NEWLINE, QUOTE, POINT, MINUS, PLUS, ZERO = map(ord, '\n".-+0')
BLANKS = np.zeros(256, np.bool_)
BLANKS[list(b" \r\t")] = True
DIGITS = 18  # that fit an integer of 64 bits
POWERS = 10.0 ** np.arange(DIGITS + 1)  # exact


def read_edges(
    path: Any,
    source: str = "source",
    target: str = "target",
    weight: str | None = None,
    delay: str | None = None,
    *,
    population: str | None = None,
    types: Any = None,
    nsyns: bool = True,
    renumber: bool = False,
    size: int | None = None,
) -> Edges:
    """Read a table of synapses; ``network.connect(a, b, edges)`` connects by it.

    Parameters
    ----------
    path : path or graph
        By its suffix a table with a header (.csv, .txt: commas, .tsv: tabs), Parquet (.parquet,
        .pq; needs pyarrow) or SONATA edges (.h5, .hdf5); or a NetworkX graph, whose edges run both
        ways if it is undirected.
    source, target : str
        Columns with the numbers of the neurons, from 0. Not used for SONATA files, which have
        ``source_node_id`` and ``target_node_id``, or for graphs.
    weight, delay : str, optional
        Columns, or attributes of a graph's edges, in the unit of the receptor and in ms. In a
        SONATA file ``syn_weight`` and ``delay`` are read where there are such.
    population : str, optional
        Of the edges in a SONATA file that has several.
    types : path, optional
        The table of edge types that belongs to a SONATA file (``..._edge_types.csv``), which may
        hold the weights and delays. What the file itself has of an edge comes first.
    nsyns : bool
        Whether a row of a SONATA file stands for so many synapses as its column ``nsyns`` says,
        which BMTK writes: the weight is ``syn_weight x nsyns``. See ``multiplicity`` of `Edges`.
    renumber : bool
        Whether the numbers of neurons are ids, such as a connectome's, to be numbered 0, 1, ... in
        ascending order, sources and targets together. ``labels`` of the `Edges` are the ids.
    size : int, optional
        How many neurons there are; others are refused. Default: for a graph, the number of its
        nodes; else `Network.connect` knows.

    Returns
    -------
    Edges
        Arrays ``sources``, ``targets`` (int64), ``weights``, ``delays`` (float64, or None), and
        what it was made of: ``multiplicity``, ``labels`` and ``notes``. No row is left out, and
        pairs may occur again. Decimal fractions in text are accurate to the last place of 64 bits.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        No edges, no such column, numbers of neurons that are not whole or beyond ``size``, values
        that are not finite, weights that only some of the edges have, a suffix that is not known.
    ImportError
        Parquet without pyarrow.

    Warns
    -----
    UserWarning
        Edge types name functions of weights, which are not applied; nodes of a graph look like
        numbers but are none.

    Notes
    -----
    Whole numbers are numbers of neurons, also those of a graph: node 17 is neuron 17, whatever the
    order of the nodes. Other nodes, such as names, are numbered in the order of the graph;
    ``labels`` are then the nodes.
    """
    if hasattr(path, "edges") and hasattr(path, "nodes"):
        return _graph(path, weight, delay, renumber, size)
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty.")
    suffix = path.suffix.lower()
    if suffix not in (".h5", ".hdf5") and (types is not None or population is not None):
        raise ValueError(f"{path}: types and population are for SONATA files, .h5 or .hdf5.")
    names = [source, target, weight, delay]
    counts, notes = None, []
    match suffix:
        case ".csv" | ".tsv" | ".txt":
            columns = _text(path, names)
        case ".parquet" | ".pq":
            columns = _parquet(path, names)
        case ".h5" | ".hdf5":
            names[:2] = "source_node_id", "target_node_id"
            read = read_sonata_edges(path, weight, delay, population, types, nsyns)
            *columns, counts, notes, doubts = read
            for doubt in doubts:
                warn(f"{path}: {doubt}.")
        case suffix:
            raise ValueError(
                f"{path}: the suffix is {suffix!r}; it must be .csv, .tsv, .txt, .parquet, .pq, "
                ".h5 or .hdf5."
            )
    if not columns[0].size:
        raise ValueError(f"{path}: the table has no rows.")
    for name, column in zip(names[:2], columns, strict=False):
        if not np.issubdtype(column.dtype, np.integer):
            raise ValueError(
                f"{path}: column {name!r} has type {column.dtype}; it must hold whole numbers."
            )
    ends, labels = columns[:2], None
    if renumber:
        ends, labels = _numbered(path, ends)
        notes.append(f"{labels.size} ids from {labels[0]} to {labels[-1]} are numbered from 0")
    if size is not None:
        lowest, highest = min(int(end.min()) for end in ends), max(int(end.max()) for end in ends)
        _check_size(path, lowest, highest, size, renumber)
    return Edges(*ends, *columns[2:], counts, labels, notes)


def _numbered(path: Path, ends: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets numbered in the order of their ids, and the ids."""
    # Of one type: of signed and unsigned numbers of 64 bits NumPy makes floats.
    kind = np.int64 if min(int(end.min()) for end in ends) < 0 else np.uint64
    if kind is np.int64 and max(int(end.max()) for end in ends) >= 2**63:
        raise ValueError(f"{path}: ids run from below 0 to beyond 2^63; only one of both may be.")
    labels, numbers = np.unique(np.stack([end.astype(kind) for end in ends]), return_inverse=True)
    labels = labels.astype(np.int64) if labels[-1] < 2**63 else labels
    return numbers.reshape(2, -1), labels


def _check_size(told: Any, lowest: int, highest: int, size: int, renumber: bool) -> None:
    """Hold the numbers of neurons against how many there are."""
    check_whole("size", size)
    if renumber and highest >= size:
        raise ValueError(f"{told}: there are {highest + 1} neurons; size is {size}.")
    if not 0 <= lowest <= highest < size:
        raise ValueError(
            f"{told}: neurons are numbered from {lowest} to {highest}; the numbers of {size} "
            f"neurons lie between 0 and {size - 1}. If there are more neurons, give size=; if "
            "these are ids, renumber=True numbers them from 0."
        )


def edge_columns(path: str | Path) -> list[str]:
    """Names of the columns of a table (text or Parquet) that `read_edges` can read."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    if path.suffix.lower() in (".parquet", ".pq"):
        return _parquet_module(path).read_schema(path).names
    if path.suffix.lower() not in DELIMITERS:
        raise ValueError(f"{path}: the suffix must be {', '.join(DELIMITERS)}, .parquet or .pq.")
    with path.open("rb") as file:
        return _header(file.readline(), DELIMITERS[path.suffix.lower()])


def _header(line: bytes, delimiter: str) -> list[str]:
    fields = next(csv.reader([line.decode("utf-8-sig")], delimiter=delimiter), [])
    return [name.strip() for name in fields]


def _places(path: Path, wanted: list[str | None], names: list[str]) -> list[int]:
    """Where the columns that are asked for are."""
    for name in wanted:
        if name is not None and name not in names:
            raise ValueError(
                f"{path}: there is no column {name!r}; there are {', '.join(map(repr, names))}."
            )
    return [names.index(name) for name in wanted if name is not None]


def _text(path: Path, wanted: list[str | None]) -> list[np.ndarray | None]:
    delimiter = DELIMITERS[path.suffix.lower()]
    with path.open("rb") as file:
        header = file.readline()
    names = _header(header, delimiter)
    places = _places(path, wanted, names)
    asked = np.full((len(names), 4), False)
    asked[places, [k for k, name in enumerate(wanted) if name is not None]] = True
    data = np.memmap(path, np.uint8, mode="r")
    whole, values, odd, rows, found = _parse(data, len(header), ord(delimiter), asked, BLANKS)
    if found != len(names):
        raise ValueError(f"{path}: row {rows + 1} has {found} fields, the header has {len(names)}.")
    for row, column, first, last in odd.tolist():
        text = data[first:last].tobytes().decode("utf-8", "replace").strip(' \r\t"')
        try:
            if column < 2:
                whole[column, row] = int(text)
            else:
                values[column - 2, row] = float(text)
        except (ValueError, OverflowError):
            what = "a whole number" if column < 2 else "a number"
            raise ValueError(
                f"{path}: {wanted[column]!r} of row {row + 1} is {text!r}; it must be {what}."
            ) from None
    given = [value if name else None for name, value in zip(wanted[2:], values, strict=True)]
    return [*whole[:, :rows], *(None if value is None else value[:rows] for value in given)]


@kernel
def _parse(data, start, delimiter, asked, blanks):
    """Read columns of a table from its bytes: 15 million rows in about a second.

    ``asked`` [column in the file, number: sources, targets, weights, delays]. Returns whole
    numbers [2, row], other numbers [2, row], what has to be looked at again (row, number, first
    byte, end), how many rows there are, and how many fields the last one looked at has.
    """
    rows = 1
    for at in range(start, data.size):
        rows += data[at] == NEWLINE
    whole = np.empty((2, rows), np.int64)
    values = np.empty((2, rows if asked[:, 2:].any() else 0), np.float64)
    odd = np.empty((64, 4), np.int64)
    odds = row = column = 0
    at = start
    while at < data.size or column > 0:  # the file may end behind a delimiter
        first = at
        digits = fraction = number = 0
        plain, point, minus, empty, quoted = True, False, False, True, False
        while at < data.size:
            byte = data[at]
            if not quoted and (byte == delimiter or byte == NEWLINE):
                break
            if byte - ZERO >= 0 and byte - ZERO <= 9:
                digits += 1
                fraction += point
                number = number * 10 + (byte - ZERO)  # may overflow: then it is not plain
            elif byte == POINT and not point:
                point = True
            elif (byte == MINUS or byte == PLUS) and empty:
                minus = byte == MINUS
            elif not blanks[byte]:
                plain = False
                quoted ^= byte == QUOTE
            elif not empty and at + 1 < data.size and not blanks[data[at + 1]]:
                plain &= data[at + 1] == delimiter or data[at + 1] == NEWLINE  # "1 2"
            empty &= blanks[byte]
            at += 1
        ends = at >= data.size or data[at] == NEWLINE
        last = at
        at += 1
        if ends and column == 0 and empty:
            continue
        plain &= 0 < digits <= DIGITS
        number = -number if minus else number
        for which in range(4):
            if column >= asked.shape[0] or not asked[column, which]:
                continue
            if plain and which < 2 and not point:
                whole[which, row] = number
            elif plain and which >= 2:
                values[which - 2, row] = number / POWERS[fraction]
            else:
                if odds == odd.shape[0]:
                    odd = np.concatenate((odd, np.empty_like(odd)))
                odd[odds] = row, which, first, last
                odds += 1
        column += 1
        if ends:
            if column != asked.shape[0]:
                return whole, values, odd[:0], row, column
            row += 1
            column = 0
    return whole, values, odd[:odds], row, asked.shape[0]


def _parquet_module(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError:
        raise ImportError(
            f"{path}: Parquet needs pyarrow; install it with: pip install 'spikesim[parquet]'."
        ) from None
    return parquet


def _parquet(path: Path, wanted: list[str | None]) -> list[np.ndarray | None]:
    parquet = _parquet_module(path)
    _places(path, wanted, parquet.read_schema(path).names)
    table = parquet.read_table(path, columns=list({name for name in wanted if name is not None}))
    return [None if name is None else table[name].to_numpy() for name in wanted]


def _graph(
    graph: Any, weight: str | None, delay: str | None, renumber: bool, size: int | None
) -> Edges:
    edges = list(graph.edges(data=True))
    if not edges:
        raise ValueError(f"{graph!r}: the graph has no edges.")
    if not graph.is_directed():
        edges += [(post, pre, data) for pre, post, data in edges if pre != post]
    columns: list[np.ndarray | None] = []
    for name in (weight, delay):
        if name is None:
            columns.append(None)
            continue
        for pre, post, data in edges:
            if name not in data:
                known = ", ".join(map(repr, data)) or "none"
                raise ValueError(
                    f"graph: edge {pre!r} -> {post!r} has no {name!r}; its attributes are {known}."
                )
        columns.append(np.array([data[name] for _, _, data in edges], float))
    nodes, notes, labels = list(graph.nodes), [], None
    whole = all(isinstance(x, int | np.integer) and not isinstance(x, bool) for x in nodes)
    if whole and not renumber:
        numbers = {node: node for node in nodes}
    else:
        nodes = sorted(nodes) if whole else nodes
        numbers = {node: k for k, node in enumerate(nodes)}
        labels = np.fromiter(nodes, object, len(nodes))
        if whole and nodes[-1] < 2**63:
            labels = labels.astype(np.int64)
        how = "in ascending order" if whole else "in the order of the graph"
        notes.append(f"{len(nodes)} nodes are numbered {how}")
        if not whole and all(map(_looks_whole, nodes)):
            warn(
                f"graph: nodes such as {nodes[0]!r} look like whole numbers, but are "
                f"{type(nodes[0]).__name__}: they are numbered in the order of the graph. If they "
                "are numbers of neurons, say so: networkx.relabel_nodes(graph, int)."
            )
    _check_size(
        "graph",
        min(numbers.values()),
        max(numbers.values()),
        len(nodes) if size is None else size,
        labels is not None,
    )
    ends = np.array([(numbers[pre], numbers[post]) for pre, post, _ in edges])
    return Edges(*ends.T, *columns, None, labels, notes)


def _looks_whole(label: Any) -> bool:
    try:
        return int(label) == float(label)
    except (TypeError, ValueError, OverflowError):
        return False
