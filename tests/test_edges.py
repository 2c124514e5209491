"""Tables of synapses: what is read is what was written, and every sentence about what is not."""

import builtins
import csv

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spikesim as ss
from spikesim.interop.edges import read_edges

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


TYPES = """edge_type_id target_query source_query model_template  delay syn_weight nsyns

100 pop=='b' "pop=='a' & ei=='e'" static_synapse 1.5 2.5 NULL
101 pop=='a'   pop=='b' static_synapse 2.0 NULL 4
7 * * static_synapse NULL -1e-1 NULL
"""


def write_bmtk(path, pre, post, type_ids, group, row, groups):
    """Edges as BMTK's builder writes them; ``groups`` [number][column]."""
    with h5py.File(path, "w") as file:
        edges = file.create_group("edges/a_to_b")
        for end, numbers, name in (("source", pre, "a"), ("target", post, "b")):
            edges[f"{end}_node_id"] = np.asarray(numbers, np.uint64)
            edges[f"{end}_node_id"].attrs["node_population"] = name
        edges["edge_type_id"] = np.asarray(type_ids, np.uint32)
        edges["edge_group_id"] = np.asarray(group, np.uint16)
        edges["edge_group_index"] = np.asarray(row, np.uint32)
        edges["indices/source_to_target/node_id_to_range"] = np.zeros((3, 2), np.uint64)
        for number, columns in groups.items():
            edges.require_group(str(number))
            for name, values in columns.items():
                edges[f"{number}/{name}"] = values
    return path


@pytest.fixture
def bmtk(tmp_path):
    """One row a pair and nsyns in group 0; one row a synapse, and its weights, in group 1."""
    (tmp_path / "types.csv").write_text(TYPES, newline="\r\n")
    groups = {0: {"nsyns": np.array([3, 1, 5], "u4")}, 1: {"syn_weight": [0.5, -0.25]}}
    return write_bmtk(
        tmp_path / "edges.h5",
        *([0, 1, 2, 0, 0], [3, 3, 4, 3, 3]),
        *([100, 7, 100, 101, 101], [0, 0, 0, 1, 1], [0, 2, 1, 1, 0], groups),
    )


def test_values_of_rows_come_before_those_of_their_types(bmtk):
    types = bmtk.with_name("types.csv")
    types.write_text(types.read_text().replace("NULL -1e-1", "3.5 -1e-1"))
    edges = read_edges(bmtk, types=types)
    assert_holds(
        edges,
        [0, 1, 2, 0, 0],
        [3, 3, 4, 3, 3],
        *[None] * 0,
        **{
            "weights": [2.5 * 3, -0.1 * 5, 2.5 * 1, -0.25 * 4, 0.5 * 4],
            "delays": [1.5, 3.5, 1.5, 2.0, 2.0],
        },
    )
    assert edges.multiplicity.tolist() == [3, 5, 1, 4, 4]
    assert repr(edges) == (
        "Edges(5 rows for 17 synapses; edges 'a_to_b' from 'a' to 'b'; "
        "weights are syn_weight x nsyns)"
    )
    single = read_edges(bmtk, types=types, nsyns=False)
    np.testing.assert_allclose(single.weights, [2.5, -0.1, 2.5, -0.25, 0.5])
    assert single.multiplicity is None and "nsyns is left out" in single.notes


def test_commas_and_other_populations_in_a_table_of_types(bmtk):
    types = bmtk.with_name("types.csv")
    types.write_text(
        "population,edge_type_id,syn_weight,delay\nother,100,9,9\n"
        "a_to_b,100,2,1\na_to_b,7,3,1\na_to_b,101,4,1\n"
    )
    edges = read_edges(bmtk, types=types)
    np.testing.assert_allclose(edges.weights, [2 * 3, 3 * 5, 2, -0.25, 0.5])
    np.testing.assert_allclose(edges.delays, 1.0)


values = st.one_of(st.none(), st.integers(-9, 9).map(float))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_edges_in_groups_and_of_types_as_a_reader_finds_them(tmp_path_factory, data):
    """Against a search for each edge, one after the other."""
    folder = tmp_path_factory.mktemp("edges")
    n = data.draw(st.integers(1, 12))
    group = data.draw(st.lists(st.sampled_from([0, 1, 7]), min_size=n, max_size=n))
    type_ids = data.draw(st.lists(st.sampled_from([3, 100, 2]), min_size=n, max_size=n))
    row = [0] * n
    for g in set(group):
        places = [k for k in range(n) if group[k] == g]
        for k, r in zip(places, data.draw(st.permutations(range(len(places)))), strict=True):
            row[k] = r
    groups = {}
    for g in set(group):
        size = group.count(g)
        groups[g] = {
            name: data.draw(st.lists(numbers, min_size=size, max_size=size))
            for name, numbers in (
                ("syn_weight", st.integers(-9, 9).map(float)),
                ("delay", st.integers(1, 9).map(float)),
                ("nsyns", st.integers(0, 9)),
            )
            if data.draw(st.booleans())
        }
    types = {key: {"syn_weight": 5.0 + key, "delay": key / 8, "nsyns": key % 7} for key in (2, 3)}
    types[100] = {"syn_weight": -1.5, "delay": 1.0}
    table = ["edge_type_id syn_weight delay nsyns"]
    table += [
        f"{k} {t['syn_weight']} {t['delay']} {t.get('nsyns', 'NULL')}" for k, t in types.items()
    ]
    (folder / "types.csv").write_text("\n".join(table))
    path = write_bmtk(folder / "e.h5", range(n), range(n), type_ids, group, row, groups)

    def find(k, name, otherwise=None):
        own = groups[group[k]].get(name)
        return own[row[k]] if own else types[type_ids[k]].get(name, otherwise)

    edges = read_edges(path, types=folder / "types.csv")
    counts = [find(k, "nsyns", 1) for k in range(n)]
    weights = [find(k, "syn_weight") * counts[k] for k in range(n)]
    assert_holds(
        edges, list(range(n)), list(range(n)), weights, [find(k, "delay") for k in range(n)]
    )
    found = [1] * n if edges.multiplicity is None else edges.multiplicity.tolist()
    assert found == counts


def test_columns_agree_with_libsonata(tmp_path):
    libsonata = pytest.importorskip("libsonata", reason="the reference reader of SONATA files")
    pre, post, w, d = table()
    columns = {"syn_weight": w, "delay": d, "nsyns": np.arange(pre.size) % 5}
    order = np.zeros(pre.size, int), np.arange(pre.size)
    path = write_bmtk(tmp_path / "e.h5", pre, post, order[0], *order, {0: columns})
    theirs = libsonata.EdgePopulation(str(path), "", "a_to_b")
    everything = theirs.select_all()
    w, d, n = (theirs.get_attribute(name, everything) for name in ("syn_weight", "delay", "nsyns"))
    ours = read_edges(path)
    assert_holds(ours, theirs.source_nodes(everything), theirs.target_nodes(everything), w * n, d)
    np.testing.assert_array_equal(ours.multiplicity, n)
    assert f"from {theirs.source!r} to {theirs.target!r}" in ours.notes[0]


def test_synapses_of_a_row_are_counted_whatever_the_weight(tmp_path):
    """No syn_weight anywhere: each of a row's synapses has the weight that is given."""
    pre, post, count = np.array([0, 0, 5, 0]), np.array([1, 2, 1, 1]), np.array([3, 1, 0, 10])
    index = np.arange(4)
    path = write_bmtk(
        tmp_path / "e.h5", pre, post, 0 * index, 0 * index, index, {0: {"nsyns": count}}
    )
    edges = read_edges(path)
    assert edges.weights is None and edges.multiplicity.tolist() == count.tolist()
    assert "rows stand for nsyns synapses each" in repr(edges)

    def onto(what, **weight):
        s = ss.build(network(what, delay=1.0, **weight), precision="double").synapses("a", "b")
        total = np.zeros((60, 60))
        np.add.at(total, (s.sources, s.targets), s.weights)
        return [total[0, 1], total[0, 2], total[5, 1], total.sum()], len(s.sources)

    assert onto(edges, weight=0.5) == (pytest.approx([6.5, 0.5, 0, 7]), 4)
    assert onto(edges.repeated(), weight=0.5) == (pytest.approx([6.5, 0.5, 0, 7]), 14)
    assert onto(edges, weight=[1.0, 2.0, 3.0, 4.0]) == (pytest.approx([5, 2, 3, 10]), 4)
    assert onto(edges.repeated(), weight=ss.Uniform(1.0, 2.0))[1] == 14
    with pytest.raises(
        ValueError, match=r"rows stand for several synapses each.*edges.repeated\(\)"
    ):
        network(edges, delay=1.0, weight=ss.Uniform(1.0, 2.0))
    with pytest.raises(ValueError, match="weight is missing"):
        network(edges, delay=1.0)
    weighted = ss.Edges(pre, post, [6.0, 2.0, 0.0, 5.0], None, count)
    repeated = weighted.repeated()
    assert repeated.weights.tolist() == [2.0] * 3 + [2.0] + [0.5] * 10
    assert onto(weighted) == (pytest.approx([11, 2, 0, 13]), 4)
    assert onto(weighted, weight=1.0) == (pytest.approx([13, 1, 0, 14]), 4)


BAD_SONATA = {
    "weights in one group alone": (
        {},
        {},
        r"3 of 5 edges have no 'syn_weight' \(those of group 0 and edge type 7, 100\); give types=",
    ),
    "types without weights": (
        {"types": "edge_type_id delay syn_weight\n100 1 2\n"},
        {},
        r"1 of 5 edges have no 'syn_weight' \(those of group 0 and edge type 7\); the table of",
    ),
    "no such column": ({"weight": "w"}, {}, r"no column 'w'; there are 'nsyns', 'syn_weight'"),
    "no such population": ({"population": "x"}, {}, r"population is 'x'; the file has .*'a_to_b'"),
    "half a synapse": ({}, {"0/nsyns": [1.0, 2.5, 1.0]}, r"nsyns of an edge is 2\.5; it must be a"),
    "fewer than none": ({}, {"0/nsyns": [1, -2, 1]}, r"nsyns of an edge is -2"),
    "rows beyond the group": ({}, {"edge_group_index": [0, 9, 1, 1, 0]}, r"runs from 0 to 9, but"),
    "other lengths": ({}, {"edge_group_id": [0, 1]}, r"edge_group_id has shape \(2,\)"),
    "no index": (
        {},
        {"edge_group_index": None},
        r"in several groups, but there is no edge_group_i",
    ),
    "no ids of types": (
        {"types": TYPES},
        {"edge_type_id": None},
        r"the edges have no edge_type_id",
    ),
    "no such table": ({"types": None}, {}, r"none\.csv: there is no such file"),
    "no key": (
        {"types": "id syn_weight\n1 2\n"},
        {},
        r"no column 'edge_type_id' among \['id', 'sy",
    ),
    "a type twice": ({"types": TYPES + "7 * * x 1 1 1\n"}, {}, r"edge_type_id 7 is there twice"),
    "fields lost": (
        {"types": TYPES + "8 * *\n"},
        {},
        r"types .*csv: row 4 has 3 fields, the header 7",
    ),
    "key that is none": (
        {"types": TYPES + "x * * x 1 1 1\n"},
        {},
        r"edge_type_id of row 4 is no num",
    ),
    "weight that is none": (
        {"types": TYPES.replace("2.5", "two")},
        {},
        r"'syn_weight' of an edge type is 'two'; it must be a number",
    ),
}


@pytest.mark.parametrize("case", BAD_SONATA)
def test_bad_sonata_edges(bmtk, case):
    options, changes, told = BAD_SONATA[case]
    if "types" in options:
        path = bmtk.with_name("none.csv")
        if options["types"] is not None:
            path.write_text(options["types"])
        options = options | {"types": path}
    if "weight" not in case:
        changes = changes | {"0/syn_weight": [1.0, 2.0, 3.0]}
    with h5py.File(bmtk, "r+") as file:
        for name, value in changes.items():
            if name in file["edges/a_to_b"]:
                del file["edges/a_to_b"][name]
            if value is not None:
                file["edges/a_to_b"][name] = value
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        read_edges(bmtk, **options)


def test_what_only_a_model_knows_is_told(bmtk):
    types = bmtk.with_name("types.csv")
    heads = "edge_type_id syn_weight weight_function\n"
    types.write_text(heads + "100 1 wmax\n7 1 gaussianLL\n101 1 NULL\n8 1 unused\n")
    with pytest.warns(
        UserWarning, match=r"name weight functions \(gaussianLL\), .*without"
    ) as told:
        edges = read_edges(bmtk, types=types)
    assert told[0].filename == __file__ and "gaussianLL" in repr(edges)


def test_delays_in_another_unit_are_converted(bmtk):
    with h5py.File(bmtk, "r+") as file:
        group = file["edges/a_to_b"]
        group["0/delay"], group["1/delay"] = [0.001, 0.002, 0.003], [4.0, 5.0]
        group["0/delay"].attrs["units"] = "s"
    edges = read_edges(bmtk, types=bmtk.with_name("types.csv"))
    np.testing.assert_allclose(edges.delays, [1, 3, 2, 5, 4])
    assert "delays are in 's'; they are given in ms" in edges.notes


def test_edges_that_are_none(tmp_path):
    (tmp_path / "e.h5").write_text("text")
    with pytest.raises(ValueError, match=r"e\.h5 is not an HDF5 file"):
        read_edges(tmp_path / "e.h5")
    (tmp_path / "e.csv").write_text("source,target\n1,2\n")
    with pytest.raises(ValueError, match="types and population are for SONATA files"):
        read_edges(tmp_path / "e.csv", types=tmp_path / "e.csv")
    for counts in ([0.5, 1], [1], [1, -1]):
        with pytest.raises(ValueError, match=r"Edges: multiplicity"):
            ss.Edges([0, 1], [1, 2], None, None, counts)


IDS = [720575940628857210, 720575940604023456, 5, 720575940621039145]


def test_ids_of_a_table_are_numbered_when_asked_for(tmp_path):
    pairs = [(0, 1), (3, 2), (0, 1), (1, 0)]
    text = "".join(f"{IDS[a]},{IDS[b]},{k}.5\n" for k, (a, b) in enumerate(pairs))
    (tmp_path / "e.csv").write_text("source,target,w\n" + text)
    edges = read_edges(tmp_path / "e.csv", weight="w", renumber=True)
    assert edges.labels.tolist() == sorted(IDS) and edges.labels.dtype == np.int64
    ends = edges.labels[edges.sources].tolist(), edges.labels[edges.targets].tolist()
    assert list(zip(*ends, strict=True)) == [(IDS[a], IDS[b]) for a, b in pairs]
    assert edges.weights.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert f"4 ids from 5 to {max(IDS)} are numbered from 0" in repr(edges)
    assert read_edges(tmp_path / "e.csv", renumber=True, size=4).labels.size == 4
    with pytest.raises(ValueError, match=r"e\.csv: there are 4 neurons; size is 3"):
        read_edges(tmp_path / "e.csv", renumber=True, size=3)
    with pytest.raises(ValueError, match=rf"from 5 to {max(IDS)}; .*renumber=True numbers them"):
        read_edges(tmp_path / "e.csv", size=100)
    with pytest.raises(
        ValueError, match=rf"run from \d+ to {max(IDS)}; .*read_edges .*renumber=True"
    ):
        network(read_edges(tmp_path / "e.csv", weight="w"), delay=1.0)
    with pytest.raises(ValueError, match=r"size is 2\.5; it must be a whole number"):
        read_edges(tmp_path / "e.csv", size=2.5)
    assert read_edges(tmp_path / "e.csv").labels is None


@pytest.mark.parametrize("kind", ["u8", "i8", "u4", "i2"])
def test_ids_of_any_whole_type_are_numbered(tmp_path, kind):
    least, most = np.iinfo(kind).min, np.iinfo(kind).max
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["edges/e/source_node_id"] = np.array([most, least, 7], kind)
        file["edges/e/target_node_id"] = np.array([7, most, most - 1], kind)
    edges = read_edges(tmp_path / "e.h5", renumber=True)
    assert edges.labels.tolist() == [least, 7, most - 1, most]
    assert edges.sources.tolist() == [3, 0, 1] and edges.targets.tolist() == [1, 3, 2]


def test_ids_beyond_64_bits_of_one_sign_are_refused(tmp_path):
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["edges/e/source_node_id"] = np.array([2**63 + 5, 1], "u8")
        file["edges/e/target_node_id"] = np.array([-1, 1], "i8")
    with pytest.raises(ValueError, match=r"e\.h5: ids run from below 0 to beyond 2\^63"):
        read_edges(tmp_path / "e.h5", renumber=True)
    with pytest.raises(ValueError, match=r"sources holds 9223372036854775813; it must be below"):
        read_edges(tmp_path / "e.h5")


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
    assert edges.labels.tolist() == ["c", "a", "b"]
    with pytest.raises(ValueError, match="has no edges"):
        read_edges(Graph([1], [], True))


def test_whole_numbers_of_a_graph_are_numbers_of_neurons():
    """A list of edges brings nodes in any order, and may lack some."""
    rng = np.random.default_rng(3)
    links = [
        (int(a), int(b), {"w": float(k)})
        for k, (a, b) in enumerate(rng.integers(50, size=(192, 2)))
    ]
    nodes = list(dict.fromkeys(node for pre, post, _ in links for node in (pre, post)))
    assert nodes != sorted(nodes)
    edges = read_edges(Graph(nodes, links, True), weight="w", size=50)
    assert_holds(edges, *np.array([link[:2] for link in links]).T, np.arange(192.0))
    assert edges.labels is None
    with pytest.raises(
        ValueError, match=r"graph: neurons are numbered from 0 to 49; the numbers of 4"
    ):
        read_edges(Graph([0, 49, 7, 3], [(0, 49, {}), (7, 3, {})], True))
    mapped = read_edges(Graph([0, 49, 7, 3], [(0, 49, {}), (7, 3, {})], True), renumber=True)
    assert_holds(mapped, [0, 2], [3, 1])
    assert mapped.labels.tolist() == [0, 3, 7, 49] and "in ascending order" in repr(mapped)
    numpy_ints = Graph([np.int64(1), np.uint8(0)], [(np.int64(1), np.uint8(0), {})], True)
    assert_holds(read_edges(numpy_ints), [1], [0])
    with pytest.raises(ValueError, match=r"from -1 to 1; .*renumber=True"):
        read_edges(Graph([-1, 1], [(-1, 1, {})], True))


def test_ids_of_a_graph_are_numbered_when_asked_for():
    graph = Graph(IDS, [(IDS[0], IDS[1], {}), (IDS[2], IDS[3], {})], True)
    with pytest.raises(ValueError, match=rf"from 5 to {max(IDS)}; the numbers of 4 neurons lie"):
        read_edges(graph)
    edges = read_edges(graph, renumber=True)
    assert edges.labels.tolist() == sorted(IDS)
    assert edges.labels[edges.sources].tolist() == [IDS[0], IDS[2]]
    assert edges.labels[edges.targets].tolist() == [IDS[1], IDS[3]]
    vast = Graph([2**70, 2**65], [(2**70, 2**65, {})], True)
    edges = read_edges(vast, renumber=True)
    assert edges.labels.tolist() == [2**65, 2**70] and edges.sources.tolist() == [1]


def test_other_nodes_are_numbered_in_the_order_of_the_graph_and_kept():
    grid = [(0, 1), (0, 0), (1, 1)]
    edges = read_edges(Graph(grid, [(grid[0], grid[2], {})], True))
    assert edges.labels.tolist() == grid and edges.labels.shape == (3,)
    assert edges.sources.tolist() == [0] and edges.targets.tolist() == [2]
    mixed = read_edges(Graph(["x", 0, True], [("x", True, {})], True))
    assert mixed.targets.tolist() == [2]
    with pytest.raises(ValueError, match="graph: there are 3 neurons; size is 2"):
        read_edges(Graph(grid, [(grid[0], grid[2], {})], True), size=2)


@pytest.mark.parametrize("nodes", [["2", "0", "1"], [2.0, 0.0, 1.0]])
def test_nodes_that_look_like_numbers_are_told(nodes):
    """networkx.read_edgelist makes text of all nodes."""
    with pytest.warns(
        UserWarning, match="look like whole numbers, but are .*relabel_nodes"
    ) as told:
        edges = read_edges(Graph(nodes, [(nodes[0], nodes[1], {})], True))
    assert edges.sources.tolist() == [0] and edges.labels.tolist() == nodes
    assert told[0].filename == __file__


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


@pytest.mark.parametrize("kind", ["Graph", "DiGraph", "MultiDiGraph"])
def test_numbered_nodes_connect_as_networkx_has_them_in_its_matrix(kind):
    networkx = pytest.importorskip("networkx", reason="graphs are read without it")
    pytest.importorskip("scipy", reason="of which networkx makes its matrices")
    rng = np.random.default_rng(5)
    graph = getattr(networkx, kind)()
    for pre, post, w in zip(*rng.integers(50, size=(2, 192)), rng.normal(size=192), strict=True):
        graph.add_edge(int(pre), int(post), w=w)
    graph.add_nodes_from(range(50))
    edges = read_edges(graph, weight="w")
    found = np.zeros((50, 50))
    np.add.at(found, (edges.sources, edges.targets), edges.weights)
    matrix = networkx.to_scipy_sparse_array(graph, nodelist=range(50), weight="w")
    np.testing.assert_allclose(found, matrix.toarray(), atol=1e-15)


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
    with pytest.raises(ValueError, match=r"weights has shape \(3,\); it must have shape \(2,\)"):
        ss.Edges([0, 1], [1, 2], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"delays\[1\] is nan; it must be finite"):
        ss.Edges([0, 1], [1, 2], None, [1.0, np.nan])
    with pytest.raises(ValueError, match=r"sources is \[0\.5, 1\]"):
        ss.Edges([0.5, 1], [1, 2])
