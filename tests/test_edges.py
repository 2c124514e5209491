"""Tables of synapses: what is read is what was written, and every sentence about what is not."""

import builtins
import csv

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikesim as ss
from spikesim.edges import read_edges

MODEL = ss.LIF(receptors={"psc": ss.Exponential()})


def table(n=500, size=60, seed=1):
    rng = np.random.default_rng(seed)
    pre, post = rng.integers(size, size=(2, n))
    return pre, post, rng.normal(0, 3, n).round(3), rng.integers(1, 300, n) * 0.1


def write_text(path, columns, names=("pre", "post", "w", "d"), delimiter=","):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(names)
        writer.writerows(zip(*(np.asarray(c).tolist() for c in columns), strict=True))
    return path


def write_sonata(path, columns, populations=("a_to_b",), weight="syn_weight", shuffle=False):
    pre, post, w, d = columns
    order = np.random.default_rng(2).permutation(pre.size) if shuffle else np.arange(pre.size)
    with h5py.File(path, "w") as file:
        for k, name in enumerate(populations):
            edges = file.create_group(f"edges/{name}")
            edges["source_node_id"], edges["target_node_id"] = pre + k, post
            edges["edge_group_id"] = np.zeros(pre.size, np.uint32)
            edges["edge_group_index"] = np.argsort(order)
            edges[f"0/{weight}"], edges["0/delay"] = w[order], d[order]
    return path


def assert_holds(edges, pre, post, weights=None, delays=None):
    for got, expected, kind in (
        (edges.sources, pre, np.int64),
        (edges.targets, post, np.int64),
        (edges.weights, weights, np.float64),
        (edges.delays, delays, np.float64),
    ):
        if expected is None:
            assert got is None
            continue
        assert got.dtype == kind
        np.testing.assert_allclose(got, expected, rtol=3e-16, atol=0)
    assert len(edges) == len(pre)


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t"), (".TXT", ",")])
def test_text_tables(tmp_path, suffix, delimiter):
    columns = table()
    path = write_text(tmp_path / f"edges{suffix}", columns, delimiter=delimiter)
    assert_holds(read_edges(path, "pre", "post", "w", "d"), *columns)
    assert_holds(read_edges(str(path), "post", "pre", delay="d"), *columns[1::-1], None, columns[3])
    assert_holds(read_edges(path, "pre", "pre", "w", "w"), *columns[:1] * 2, *columns[2:3] * 2)


def test_text_as_people_write_it(tmp_path):
    """A mark of byte order, blanks, quotes, text beside, other ends of lines, no last one."""
    path = tmp_path / "edges.csv"
    path.write_bytes(
        b'\xef\xbb\xbf"source", target ,kind,"w"\r\n'
        b'1,2,"a, ""b""\n c",3.5\r\n 40 ,\t5 ,,-1e-3\r\n\r\n6,7,1.2.3,.5\n'
        b'+8,-0,"",3.\n"9",10,x,"7e2"\n11,12,x,123456789012345678901\n13,14,,-0.1'
    )
    edges = read_edges(path, weight="w")
    assert edges.sources.tolist() == [1, 40, 6, 8, 9, 11, 13]
    assert edges.targets.tolist() == [2, 5, 7, 0, 10, 12, 14]
    assert edges.weights.tolist() == [3.5, -1e-3, 0.5, 3.0, 700.0, 123456789012345678901.0, -0.1]


whole = st.integers(0, 2**63 - 1)
number = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(whole, whole, number, st.text()), min_size=1))
def test_any_number_is_read_as_it_was_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "edges.csv"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file).writerows([("a", "b", "w", "note"), *rows])
    edges = read_edges(path, "a", "b", "w")
    assert list(zip(edges.sources.tolist(), edges.targets.tolist(), strict=True)) == [
        row[:2] for row in rows
    ]
    np.testing.assert_allclose(edges.weights, [row[2] for row in rows], rtol=3e-16, atol=0)


def test_parquet_tables(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="an extra: pip install 'spikesim[parquet]'")
    from pyarrow import parquet

    columns = table()
    path = tmp_path / "edges.parquet"
    parquet.write_table(
        arrow.table(dict(zip(("pre", "post", "w", "d"), columns, strict=True))), path
    )
    assert_holds(read_edges(path, "pre", "post", "w", "d"), *columns)
    with pytest.raises(ValueError, match=r"no column 'x'; there are 'pre', 'post', 'w', 'd'"):
        read_edges(path, "pre", "x")
    with pytest.raises(ValueError, match=r"column 'w' has type float64; it must hold whole"):
        read_edges(path, "w", "post")


def test_parquet_without_pyarrow_is_one_sentence(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "edges.parquet").write_bytes(b"PAR1")
    with pytest.raises(ImportError, match=r"needs pyarrow; install it with: .*spikesim\[parquet\]"):
        read_edges(tmp_path / "edges.parquet")


@pytest.mark.parametrize("shuffle", [False, True])
def test_sonata_edges(tmp_path, shuffle):
    columns = table()
    path = write_sonata(tmp_path / "edges.h5", columns, shuffle=shuffle)
    assert_holds(read_edges(path), *columns)
    path = write_sonata(tmp_path / "two.h5", columns, ("x", "y"), weight="g", shuffle=shuffle)
    assert_holds(read_edges(path, population="y"), columns[0] + 1, columns[1], None, columns[3])
    assert_holds(read_edges(path, weight="g", population="x"), *columns)
    with pytest.raises(ValueError, match=r"population is None; the file has edges of 'x', 'y'"):
        read_edges(path)
    with pytest.raises(ValueError, match=r"no column 'w'; there are 'delay', 'g'"):
        read_edges(path, weight="w", population="x")


def test_sonata_edges_without_attributes_and_in_groups(tmp_path):
    pre, post, *_ = table()
    with h5py.File(tmp_path / "edges.h5", "w") as file:
        file["edges/e/source_node_id"], file["edges/e/target_node_id"] = pre, post
    assert_holds(read_edges(tmp_path / "edges.h5"), pre, post)
    with h5py.File(tmp_path / "edges.h5", "a") as file:
        file["edges/e/edge_group_id"] = np.arange(pre.size) % 2
    with pytest.raises(ValueError, match="several groups"):
        read_edges(tmp_path / "edges.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["spikes"] = 3
    with pytest.raises(ValueError, match="the file has edges of none"):
        read_edges(tmp_path / "other.h5")


class Graph:
    """As much of a NetworkX graph as is read."""

    def __init__(self, nodes, edges, directed):
        self.nodes, self._edges, self._directed = nodes, edges, directed

    def edges(self, data=False):
        return self._edges

    def is_directed(self):
        return self._directed


def test_a_graph_numbers_its_nodes_in_order():
    links = [
        ("c", "a", {"w": 1.5, "d": 2}),
        ("a", "a", {"w": -1, "d": 3}),
        ("b", "c", {"w": 0, "d": 4}),
    ]
    edges = read_edges(Graph(["c", "a", "b"], links, True), weight="w", delay="d")
    assert_holds(edges, [0, 1, 2], [1, 1, 0], [1.5, -1, 0], [2, 3, 4])
    both = read_edges(Graph(["c", "a", "b"], links, False), weight="w")
    assert_holds(both, [0, 1, 2, 1, 0], [1, 1, 0, 0, 2], [1.5, -1, 0, 1.5, 0])
    with pytest.raises(
        ValueError, match=r"edge 'c' -> 'a' has no 'x'; its attributes are 'w', 'd'"
    ):
        read_edges(Graph(["c", "a", "b"], links, True), weight="x")
    with pytest.raises(ValueError, match="has no edges"):
        read_edges(Graph([1], [], True))


@pytest.mark.parametrize("kind", ["Graph", "DiGraph", "MultiDiGraph"])
def test_networkx_graphs(kind):
    networkx = pytest.importorskip("networkx", reason="graphs are read without it")
    graph = getattr(networkx, kind)()
    graph.add_nodes_from("xyz")
    graph.add_edges_from([("z", "x", {"w": 2.0}), ("x", "y", {"w": 3.0}), ("y", "y", {"w": 4.0})])
    edges = read_edges(graph, weight="w")
    rows = sorted(zip(edges.sources.tolist(), edges.targets.tolist(), edges.weights, strict=True))
    expected = [(2, 0, 2.0), (0, 1, 3.0), (1, 1, 4.0)]
    if kind == "Graph":
        expected += [(0, 2, 2.0), (1, 0, 3.0)]
    assert rows == sorted(expected)


def network(*connect, **given):
    net = ss.Network()
    net.population("a", 60, MODEL)
    net.population("b", 60, MODEL)
    net.connect("a", "b", *connect, **given)
    return net


def test_edges_connect_as_they_are(tmp_path):
    pre, post, w, d = table()
    edges = read_edges(write_text(tmp_path / "e.csv", (pre, post, w, d)), "pre", "post", "w", "d")

    def wired(*connect, **given):
        s = ss.build(network(*connect, **given), precision="double").synapses("a", "b")
        return np.sort(np.array([s.sources, s.targets, s.weights.round(9), s.delays.round(9)]))

    def expected(w, d):
        return np.sort(np.broadcast_arrays(pre, post, w, d))

    np.testing.assert_allclose(wired(edges), expected(w, d), atol=1e-9)
    np.testing.assert_allclose(wired(edges, weight=2.0), expected(2.0, d), atol=1e-9)
    np.testing.assert_allclose(wired(edges, delay=1.5), expected(w, 1.5), atol=1e-9)
    separately = wired(edges.rule, weight=edges.weights, delay=edges.delays)
    np.testing.assert_array_equal(separately, wired(edges))


BAD_FILES = {
    "nothing": ("", r"the file is empty"),
    "a header alone": ("pre,post,w\n", r"the table has no rows"),
    "no such column": (
        "pre,target,w\n1,2,3\n",
        r"no column 'post'; there are 'pre', 'target', 'w'",
    ),
    "not whole": ("pre,post,w\n1,2,3\n1,2.5,3\n", r"'post' of row 2 is '2\.5'; it must be a whole"),
    "missing number": ("pre,post,w\n,2,3\n", r"'pre' of row 1 is ''; it must be a whole number"),
    "too large": (f"pre,post,w\n1,{2**63},3\n", r"'post' of row 1 is '9223372036854775808'"),
    "text": ("pre,post,w\n1,2,x1\n", r"'w' of row 1 is 'x1'; it must be a number"),
    "two numbers": ("pre,post,w\n1 2,2,3\n", r"'pre' of row 1 is '1 2'; it must be a whole"),
    "missing weight": ("pre,post,w\n1,2,\n", r"'w' of row 1 is ''; it must be a number"),
    "NaN": ("pre,post,w\n1,2,3\n1,2,NaN\n", r"weights\[1\] is nan; it must be finite"),
    "infinite": ("pre,post,w\n1,2,-inf\n", r"weights\[0\] is -inf; it must be finite"),
    "few fields": ("pre,post,w\n1,2,3\n1,2\n", r"row 2 has 2 fields, the header has 3"),
    "fields lost at the end": ("pre,post,w\n1,2,3\n1,", r"row 2 has 2 fields, the header has 3"),
    "many fields": ("pre,post,w\n1,2,3,4\n", r"row 1 has 4 fields, the header has 3"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_tables(tmp_path, case):
    text, told = BAD_FILES[case]
    (tmp_path / "edges.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        read_edges(tmp_path / "edges.csv", "pre", "post", "w")


def test_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"edges\.csv: there is no such file"):
        read_edges(tmp_path / "edges.csv")
    (tmp_path / "edges.xls").write_text("1")
    with pytest.raises(ValueError, match=r"suffix is '\.xls'; it must be \.csv"):
        read_edges(tmp_path / "edges.xls")


def test_edges_of_other_neurons_are_refused():
    with pytest.raises(
        ValueError, match=r"sources run from 0 to 60; they must lie between 0 and 59"
    ):
        network(ss.Edges([0, 60], [1, 2]), weight=1.0, delay=1.0)
    with pytest.raises(ValueError, match=r"targets run from -1 to 2"):
        network(ss.Edges([0, 5], [-1, 2]), weight=1.0, delay=1.0)
    with pytest.raises(ValueError, match=r"delay is None; give a finite number"):
        network(ss.Edges([0], [1], weights=[1.0]))
    with pytest.raises(ValueError, match=r"weight is missing"):
        network(ss.Edges([0], [1], delays=[1.0]))


def test_edges_hold_what_fits_together():
    with pytest.raises(ValueError, match=r"weights has shape \(3,\); it must be \(2,\)"):
        ss.Edges([0, 1], [1, 2], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"delays\[1\] is nan; it must be finite"):
        ss.Edges([0, 1], [1, 2], None, [1.0, np.nan])
    with pytest.raises(ValueError, match=r"sources has type float64"):
        ss.Edges([0.5, 1], [1, 2])
