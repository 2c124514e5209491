"""Weights from elsewhere: files by their formats, layouts by the equations, what is refused."""

import io
import json
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from spikesim.conversion import load_rate_network, network_of_weights, read_weights
from spikesim.rate import (
    GRU,
    LSTM,
    DaleRNN,
    FeedForward,
    LeakyRNN,
    LowRankRNN,
    McCullochPitts,
    RateNetwork,
)

RNG = np.random.default_rng(5)
KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1"]
SAFE = {"f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "i2": "I16", "i4": "I32"}
SAFE |= {"i8": "I64", "u1": "U8"}

named = st.dictionaries(
    st.text("abw_.0123", min_size=1, max_size=8),
    st.sampled_from(KINDS).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
    ),
    max_size=4,
)


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype and found[name].dtype.isnative
        np.testing.assert_array_equal(found[name], array)


def safetensors(arrays, header=None, more=b"", **changes):
    """A file's bytes by the format's description; ``changes`` break an entry."""
    entries, data = {"__metadata__": {"format": "np"}}, b""
    for name, array in arrays.items():
        start, data = len(data), data + array.tobytes()
        entries[name] = {
            "dtype": SAFE[array.dtype.str[1:]],
            "shape": list(array.shape),
            "data_offsets": [start, len(data)],
        } | changes
    text = json.dumps(entries).encode() if header is None else header
    return len(text).to_bytes(8, "little") + text + data + more


def refused(path, told, content=None, **options):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=told) as error:
        read_weights(path, **options)
    assert str(error.value).startswith(f"cannot read {path}: ")


# NumPy archives


@settings(max_examples=30, deadline=None)
@given(named, st.booleans())
def test_numpy_archives_come_back(tmp_path_factory, arrays, packed):
    path = tmp_path_factory.mktemp("npz") / "w.bin"
    with path.open("wb") as file:
        (np.savez_compressed if packed else np.savez)(file, **arrays)
    same(read_weights(path), arrays)


def test_archives_with_objects_are_refused_and_not_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("it was unpickled",)

    path = tmp_path / "w.npz"
    np.savez(path, a=np.ones(2), bomb=np.array([Bomb()], object))
    refused(path, "its array 'bomb' holds Python objects, which would be a pickle")
    np.savez(path, z=np.ones(2, complex))
    refused(path, "its array 'z' is of type complex128")


def test_an_array_whose_header_lies_is_refused_before_it_is_made(tmp_path):
    path, forged, whole = tmp_path / "w.npz", io.BytesIO(), io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(forged, header)
    np.save(whole, np.ones(4))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", forged.getvalue() + bytes(32))
    refused(path, "damaged .the array 'a' has 32 bytes, not as many as its shape needs")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", whole.getvalue()[:-8])
    refused(path, "damaged .the array 'a' has 24 bytes, not as many as its shape needs")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(path, "an archive with readme.txt, not of arrays")


# Safetensors


@settings(max_examples=30, deadline=None)
@given(named)
def test_safetensors_come_back(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("st") / "w.safetensors"
    path.write_bytes(safetensors(arrays))
    same(read_weights(path), arrays)


def test_safetensors_of_the_package_come_back(tmp_path):
    package = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    path = tmp_path / "w.safetensors"
    arrays = {kind: RNG.integers(0, 99, (3, 4)).astype(kind) for kind in KINDS}
    arrays |= {"none": np.zeros((0, 3), "f4"), "one": np.array(2.5)}
    package.save_file(arrays, path, metadata={"a": "b"})
    same(read_weights(path), arrays)


def test_bfloat16_are_upper_halves(tmp_path):
    path = tmp_path / "w.safetensors"
    numbers = np.array([[1.5, -2.0], [0.0, 3e38]], np.float32)
    halves = (numbers.view(np.uint32) >> 16).astype("u2")
    path.write_bytes(safetensors({"w": halves.view("i2")}, dtype="BF16"))
    kept = halves.astype(np.uint32) << 16
    np.testing.assert_array_equal(read_weights(path)["w"], kept.view(np.float32))


ONE = {"w": np.ones((2, 3), "f4")}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (safetensors(ONE, dtype="F8_E4M3"), "its tensor 'w' is of type F8_E4M3; read are F64"),
        (safetensors(ONE, shape=[2, 4]), "'w' has 24 bytes; its shape needs 32"),
        (safetensors(ONE, shape=[-2, -3]), "'w' has sizes that are no whole numbers"),
        (safetensors(ONE, shape=[2.0, 3]), "'w' has sizes that are no whole numbers"),
        (safetensors(ONE, data_offsets=[4, 28]), "a gap or an overlap at byte 4"),
        (safetensors(ONE, more=b"1234"), "has 28 bytes of numbers; its header tells of 24"),
        (safetensors(ONE)[:-1], "has 23 bytes of numbers; its header tells of 24"),
        (safetensors(ONE, strange=1), "damaged"),
        (safetensors({}, header=b"{]"), "damaged"),
        (safetensors({}, header=b'{"a": 1, "a": 2}'), "its header has a name twice"),
        ((10**12).to_bytes(8, "little") + b"{}", "its header would have 1000000000000 bytes"),
    ],
)
def test_malformed_safetensors_are_refused(tmp_path, content, told):
    refused(tmp_path / "w.safetensors", told, content)


# Files of PyTorch

torch_types = {"f2": "float16", "f4": "float32", "f8": "float64", "u1": "uint8"}
torch_types |= {f"i{n}": f"int{8 * n}" for n in (1, 2, 4, 8)}


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_of_torch_come_back(torch, tmp_path, kind):
    path, array = tmp_path / "w.pt", RNG.integers(0, 99, (4, 6)).astype(kind)
    whole = torch.from_numpy(array)
    tensors = {
        "whole": whole,
        "transposed": whole.T,
        "part": whole[1:3, 2:5],
        "every other": whole[:, ::2],
        "row": whole[2],
        "number": whole[1, 1],
        "none": whole[:0],
    }
    torch.save(OrderedDict(tensors), path)
    same(read_weights(path), {name: t.numpy().copy() for name, t in tensors.items()})


def test_bfloat16_and_bool_of_torch(torch, tmp_path):
    path, w = tmp_path / "w.pt", torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    torch.save({"w": w.bfloat16(), "m": w > 0}, path)
    found = read_weights(path)
    np.testing.assert_array_equal(found["w"], w.bfloat16().float().numpy())
    np.testing.assert_array_equal(found["m"], (w > 0).numpy())


def test_state_dicts_of_torch(torch, tmp_path):
    path = tmp_path / "w.pt"
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    expected = {name: t.numpy() for name, t in model.state_dict().items()}
    torch.save(model.state_dict(), path)
    same(read_weights(path), expected)
    torch.save(model.state_dict(keep_vars=True), path)  # Parameters
    same(read_weights(path), expected)
    checkpoint = {"epoch": 3, "model": model.state_dict(), "losses": [0.5, 0.25]}
    torch.save(checkpoint, path)
    same(read_weights(path, entry="model"), expected)
    refused(path, "its entry 'epoch' is of kind int, not a tensor; give entry='model'")
    refused(path, "has no entry 'net'; its entries are 'epoch', 'model', 'losses'", entry="net")


def test_other_files_of_torch_are_refused(torch, tmp_path):
    path, linear = tmp_path / "w.pt", torch.nn.Linear(2, 3)
    torch.save(linear, path)
    refused(path, "names torch.nn.modules.linear.Linear; tensors .* save model.state_dict")
    torch.save(linear.weight, path)
    refused(path, "it holds a tensor; it must be a dict of tensors")
    torch.save({"w": torch.zeros(1).expand(10**13)}, path)
    refused(path, "the tensor 'w' is expanded: save it contiguous")
    torch.save({"w": torch.zeros(3, dtype=torch.complex64)}, path)
    refused(path, "its pickle names torch.ComplexFloatStorage")
    torch.save({"w": linear.weight.to_sparse()}, path)
    refused(path, "its pickle names torch._utils._rebuild_sparse_tensor")
    torch.save(linear.state_dict(), path, _use_new_zipfile_serialization=False)
    refused(path, "before 1.6; load it there and save it again")
    torch.jit.script(linear).save(path)
    refused(path, "w.pt: it is a TorchScript module; save model.state_dict")
    torch.save({"w": torch._neg_view(torch.ones(3))}, path)
    refused(path, "the tensor 'w' is marked .*neg.*: save it resolved")


def state_file(tensors, records, *, order="little", compression=zipfile.ZIP_STORED, data=None):
    """A file as PyTorch lays it out; tensors by name: (storage, size, offset, shape, strides)."""
    out = [b"\x80\x02}("]
    text = lambda s: b"X" + len(s).to_bytes(4, "little") + s.encode()  # noqa: E731
    whole = lambda n: b"\x8a\x08" + n.to_bytes(8, "little", signed=True)  # noqa: E731
    several = lambda ns: b"(" + b"".join(map(whole, ns)) + b"t"  # noqa: E731
    for name, (kind, record, size, offset, shape, strides) in tensors.items():
        out += [text(name), b"ctorch._utils\n_rebuild_tensor_v2\n((", text("storage")]
        what = f"ctorch\n{kind}\n".encode() if kind.endswith("Storage") else text(kind)
        out += [what, text(record), text("cpu"), whole(size), b"tQ"]
        out += [whole(offset), several(shape), several(strides), b"\x89}tR"]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("m/data.pkl", b"".join([*out, b"u."]) if data is None else data)
        archive.writestr("m/byteorder", order)
        for record, content in records.items():
            archive.writestr(f"m/data/{record}", content)
    return file.getvalue()


NUMBERS = np.arange(6.0)
WHOLE = ("DoubleStorage", "0", 6, 0, (2, 3), (3, 1))
RECORD = {"0": NUMBERS.tobytes()}


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_strides_and_offsets_within_one_storage(tmp_path_factory, data):
    """By plain indexing, storages of both byte orders."""
    path = tmp_path_factory.mktemp("pt") / "w.pt"
    order, size = data.draw(st.sampled_from(["little", "big"])), data.draw(st.integers(1, 30))
    numbers, tensors, expected = np.arange(float(size)), {}, {}
    for name in "abc":
        shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4))
        strides = [data.draw(st.integers(1, 6)) for _ in shape]
        last = sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if last >= size or np.prod(shape) > size:
            continue
        offset = data.draw(st.integers(0, size - 1 - last))
        tensors[name] = ("DoubleStorage", "0", size, offset, shape, strides)
        expected[name] = np.array(
            [numbers[offset + np.dot(i, strides)] if shape else numbers[offset]
             for i in np.ndindex(*shape)]
        ).reshape(shape)  # fmt: skip
    stored = numbers.astype("<f8" if order == "little" else ">f8").tobytes()
    path.write_bytes(state_file(tensors, {"0": stored}, order=order))
    same(read_weights(path), expected)


def broken(**changes):
    names = "kind", "record", "size", "offset", "shape", "strides"
    one = dict(zip(names, WHOLE, strict=True)) | changes
    return state_file({"w": tuple(one.values())}, RECORD)


def pickled(thing):
    return state_file({}, {}, data=pickle.dumps(thing, protocol=2))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (broken(offset=1), "'w' reaches beyond its storage"),
        (broken(shape=(2, 4)), "'w' reaches beyond its storage"),
        (broken(shape=(10**17, 10**17), strides=(0, 0)), "'w' is expanded"),
        (broken(offset=-1), "'w' has sizes that are no whole numbers"),
        (broken(strides=(-3, 1)), "'w' has sizes that are no whole numbers"),
        (broken(strides=(1,)), "'w' has 1 strides"),
        (broken(size=2**40), "'w' has 48 bytes; 8796093022208 are told"),
        (broken(kind="FloatStorage"), "'w' has 48 bytes; 24 are told"),
        (broken(kind="TypedStorage"), "names torch.TypedStorage"),
        (broken(record="../0"), "damaged"),
        (state_file({"w": WHOLE}, RECORD, compression=zipfile.ZIP_DEFLATED), "compressed archive"),
        (state_file({"w": WHOLE}, RECORD, order="middle"), "damaged"),
        (state_file({"w": WHOLE}, RECORD)[:-40], "damaged"),
        (pickled(pytest.raises), "its pickle names .*raises; tensors"),
        (pickled(np.float64(1)), "its pickle names numpy"),
        (pickled(OrderedDict), "it holds of kind type; it must be a dict"),
        (pickled({"a": 1}), "its entry 'a' is of kind int"),
        (pickled({1: 2}), "its entry 1 is of kind int"),
        (pickled([1]), "it holds of kind list"),
        (state_file({}, {}, data=b"\x80\x02}r\xff\xff\xff\x7f."), "more objects than it holds"),
        (state_file({}, {}, data=b"\x80\x04\x8e\x01" + bytes(7) + b"a."), "operation BINBYTES8"),
        (state_file({}, {}, data=b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f."), "damaged"),
        (broken(kind="O"), "the tensor 'w' has no storage"),
        (state_file({}, {}, data=b"cos\nsystem\n(U\x04exitiR."), "names os.system|operation"),
        (state_file({}, {}, data=b""), "damaged"),
    ],
)
def test_malformed_and_malicious_state_files_are_refused(tmp_path, content, told):
    refused(tmp_path / "w.pt", told, content)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_changed_byte_is_read_or_told(tmp_path_factory, at, byte):
    path = tmp_path_factory.mktemp("pt") / "w.pt"
    content = bytearray(state_file({"w": WHOLE}, RECORD))
    content[at % len(content)] = byte
    path.write_bytes(content)
    try:
        read_weights(path)
    except ValueError as error:
        assert str(error).startswith(f"cannot read {path}: ")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "neither a NumPy archive nor safetensors nor PyTorch's"),
        (b"hello, world, this is a text", "neither a NumPy archive"),
        (pickle.dumps({"w": 1}), "it is a pickle, which could run anything"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file, as spikesim.rate.load and NIR"),
        (b"\x93NUMPY\x01\x00" + bytes(100), "one NumPy array without a name"),
        (b"\x1f\x8b" + bytes(100), "compressed with gzip"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
    ],
)
def test_other_files_are_told(tmp_path, content, told):
    refused(tmp_path / "w", told, content)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / "none.npz")


def test_an_entry_is_of_files_of_torch(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.ones(1))
    refused(tmp_path / "w.npz", "entry is 'a'; only files of PyTorch", entry="a")


# Layouts


def normal(*shape):
    return RNG.standard_normal(shape)


def leaky_arrays(units=4, inputs=3, outputs=2):
    return {
        "w_in": normal(units, inputs),
        "w_rec": normal(units, units),
        "b": normal(units),
        "w_out": normal(outputs, units),
        "b_out": normal(outputs),
        "tau": np.array([40.0, 50.0, 60.0, 70.0][:units]),
        "dt": np.array(10.0),
    }


@pytest.mark.parametrize("form", ["r", "x"])
def test_a_leaky_dictionary_follows_its_equations(tmp_path, form):
    w = leaky_arrays() | {f"{form}0": normal(4), "form": form, "activation": "tanh"}
    np.savez(tmp_path / "w.npz", **w)
    network = load_rate_network(tmp_path / "w.npz")
    assert network.dtype == "float64" and network.dt == 10
    x, a = normal(6, 1, 3), 10 / w["tau"]
    state = w[f"{form}0"]
    for u, z in zip(x[:, 0], network.run(x)[:, 0], strict=True):
        r = state if form == "r" else np.tanh(state)
        p = w["w_rec"] @ r + w["w_in"] @ u + w["b"]
        state = (1 - a) * state + a * (np.tanh(p) if form == "r" else p)
        r = state if form == "r" else np.tanh(state)
        np.testing.assert_allclose(z, w["w_out"] @ r + w["b_out"], rtol=1e-12)


def test_what_a_leaky_dictionary_leaves_out_is_0_or_by_default():
    w = leaky_arrays()
    bare = {name: w[name].astype("f4") for name in ("w_in", "w_rec", "w_out")}
    network = network_of_weights(bare, dt=20.0, tau=50.0)
    assert network.cells == [LeakyRNN(4, 50.0)] and network.dtype == "float32"
    for name in ("0.b", "0.r0", "out.b"):
        assert not network.parameters[name].any()


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_rnns_of_torch_give_their_outputs(torch, tmp_path, nonlinearity, layers, bias):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.RNN(3, 5, layers, nonlinearity=nonlinearity, bias=bias)
            self.fc = torch.nn.Linear(5, 2, bias=bias)

        def forward(self, x):
            return self.fc(self.rnn(x)[0])

    torch.manual_seed(3)
    model, path = Model().double(), tmp_path / "w.pt"
    torch.save(model.state_dict(), path)
    options = {"activation": "rectified"} if nonlinearity == "relu" else {}
    network = load_rate_network(path, dt=20.0, **options)
    x = normal(7, 4, 3)
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(network.run(x), expected, rtol=1e-12, atol=1e-14)


def rnn(units=4, inputs=3, outputs=2, gates=1):
    return {
        "rnn.weight_ih_l0": normal(gates * units, inputs),
        "rnn.weight_hh_l0": normal(gates * units, units),
        "rnn.bias_ih_l0": normal(gates * units),
        "rnn.bias_hh_l0": normal(gates * units),
        "fc.weight": normal(outputs, units),
        "fc.bias": normal(outputs),
    }


@pytest.mark.parametrize(
    "names", [["0", "2", "10"], ["fc1", "fc2", "fc11"], ["a.in", "z.mid", "b.out"]]
)
def test_linear_layers_in_series_give_their_outputs(names):
    shapes = [(5, 3), (6, 5), (2, 6)]
    w = {f"{n}.weight": normal(*shape) for n, shape in zip(names, shapes, strict=True)}
    w |= {f"{n}.bias": normal(shape[0]) for n, shape in zip(names, shapes, strict=True)}
    shuffled = {name: w[name] for name in sorted(w)}
    network = network_of_weights(shuffled, dt=1.0)
    x = y = normal(1, 4, 3)
    for k, name in enumerate(names):
        y = y @ w[f"{name}.weight"].T + w[f"{name}.bias"]
        y = np.maximum(y, 0) if k < 2 else y
    np.testing.assert_allclose(network.run(x), y, rtol=1e-12)


def test_the_order_of_layers_is_asked_for_where_nothing_tells_it():
    w = {f"{name}.weight": normal(4, 4) for name in ("hidden", "input", "out")}
    with pytest.raises(ValueError, match="fit in more than one order; give layers="):
        network_of_weights(w, dt=1.0)
    network = network_of_weights(w, dt=1.0, layers=["input", "hidden", "out"])
    np.testing.assert_array_equal(network.parameters["0.w1"], w["input.weight"])
    np.testing.assert_array_equal(network.parameters["0.w2"], w["hidden.weight"])
    with pytest.raises(ValueError, match=r"layers is \['a'\]; the modules are \['hidden', 'input"):
        network_of_weights(w, dt=1.0, layers=["a"])


OURS = [
    [LeakyRNN(4, 50.0)],
    [LeakyRNN(4, 50.0, "x")],
    [LeakyRNN(4, 50.0, train_tau=True)],
    [LowRankRNN(4, rank=2, tau=50.0)],
    [FeedForward([5, 4]), LeakyRNN(3, 50.0)],
    [McCullochPitts([[1.0, -1.0, 2.0]], [0.5])],
]


@pytest.mark.parametrize("cells", OURS, ids=lambda cells: type(cells[-1]).__name__)
@pytest.mark.parametrize("said", [False, True])
def test_our_own_parameters_make_the_network_again(tmp_path, cells, said):
    network = RateNetwork(cells, 3, 2, 20.0, seed=4)
    np.savez(tmp_path / "w.npz", **network.parameters)
    options = {"cells": cells} if said else {"tau": 50.0}
    again = load_rate_network(tmp_path / "w.npz", dt=20.0, **options)
    x = normal(5, 2, 3)
    np.testing.assert_array_equal(again.run(x), network.run(x))


def test_dale_needs_its_cell_and_keeps_its_signs():
    cells = [DaleRNN(6, 50.0)]
    network = RateNetwork(cells, 3, 2, 20.0)
    w = {name: p.copy() for name, p in network.parameters.items()}
    with pytest.raises(ValueError, match="no negative weight, as a DaleRNN stores them"):
        network_of_weights(w, dt=20.0, tau=50.0)
    x = normal(5, 2, 3)
    np.testing.assert_array_equal(
        network_of_weights(w, dt=20.0, cells=cells).run(x), network.run(x)
    )
    w["0.w_rec"][2, 1] = -0.25
    told = r"0.w_rec is -0.25 at \(2, 1\), where its cell allows 0 \(1 of 36"
    with pytest.raises(ValueError, match=told):
        network_of_weights(w, dt=20.0, cells=cells)


@pytest.mark.parametrize("cell", [GRU(4), LSTM(4)], ids=["GRU", "LSTM"])
def test_our_own_gated_cells_are_refused(cell):
    w = RateNetwork([cell], 3, 2, 20.0).parameters
    with pytest.raises(ValueError, match="h0, as a GRU, LSTM or subLSTM; its gates multiply"):
        network_of_weights(w, dt=20.0)


def with_one(w, name, array):
    return w | {name: array}


def without(w, name):
    return {key: array for key, array in w.items() if key != name}


LEAKY = leaky_arrays()
LINEAR = {"0.weight": normal(4, 3), "2.weight": normal(2, 4), "2.bias": normal(2)}


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (rnn(gates=3), r"rnn.weight_hh_l0 has shape \(12, 4\), as a GRU has; its gates multiply"),
        (rnn(gates=4), r"shape \(16, 4\), as a LSTM has; .* train a LeakyRNN or a DaleRNN"),
        (with_one(rnn(), "rnn.weight_ih_l0_reverse", normal(4, 3)), "runs backwards in time"),
        (with_one(rnn(), "rnn.weight_hr_l0", normal(2, 4)), "projects its states"),
        (
            with_one(rnn(), "rnn.weight_hh_l0", normal(4, 5)),
            r"rnn.weight_hh_l0 has shape \(4, 5\); beside the others it must have \(4, 4\)",
        ),
        (
            with_one(rnn(), "rnn.bias_hh_l0", normal(5)),
            r"rnn.bias_hh_l0 has shape \(5,\); .* must have \(4,\)",
        ),
        (without(rnn(), "rnn.weight_ih_l0"), "layer 0 has no weight_ih"),
        (without(without(rnn(), "fc.weight"), "fc.bias"), "read out by one nn.Linear, .* none"),
        (with_one(rnn(), "fc2.weight", normal(2, 2)), "one nn.Linear, .* there is fc, fc2"),
        (with_one(rnn(), "norm.running_mean", normal(4)), "'norm.running_mean' belongs to nei"),
        (with_one(rnn(), "other.weight_ih_l0", normal(4, 3)), "several recurrent modules"),
        (with_one(LEAKY, "noise", normal(1)), "'noise' is not known; known are w_in, w_rec"),
        (without(LEAKY, "w_out"), "'w_out' is missing; there are w_in"),
        (without(LEAKY, "w_rec"), "'w_rec' is missing; there are w_in"),
        (without(LEAKY, "tau"), "do not tell the time constants; give tau"),
        (with_one(LEAKY, "tau", normal(3) ** 2 + 50), r"tau has shape \(3,\); it must be"),
        (with_one(LEAKY, "tau", 2.0), "tau is 2 ms and dt 10 ms"),
        (with_one(LEAKY, "w_in", normal(4)), r"w_in has shape \(4,\); it must have shape \(to"),
        (
            with_one(LEAKY, "w_rec", normal(5, 5)),
            r"w_rec has shape \(5, 5\); beside the others it must have \(4, 4\)",
        ),
        (with_one(LEAKY, "w_out", normal(2, 5)), r"w_out has shape \(2, 5\); .* \(2, 4\)"),
        (
            with_one(LEAKY, "w_rec", np.where(np.eye(4), np.nan, 1)),
            r"w_rec, of shape \(4, 4\), is nan at \(0, 0\) \(4 of 16\); it must be finite",
        ),
        (with_one(LEAKY, "b", np.array(["a"] * 4)), "b is of type <U1; it must hold real"),
        (with_one(LEAKY, "x0", normal(4)) | {"r0": normal(4)}, "x0 is given; units of the r-form"),
        (with_one(LINEAR, "1.running_mean", normal(4)), "'1.running_mean' belongs to no layout"),
        (with_one(LINEAR, "0.weight", normal(4, 3, 3)), r"0.weight has shape \(4, 3, 3\)"),
        (
            with_one(LINEAR, "2.weight", normal(2, 5)),
            r"2.weight has shape \(2, 5\) and follows 0.weight of shape \(4, 3\)",
        ),
        (with_one(LINEAR, "3.bias", normal(2)), "'3.weight' is missing beside 3.bias"),
        ({"0.weight": normal(4, 3)}, "one nn.Linear; it needs a layer of units and a readout"),
        ({"out.w": normal(2, 3), "1.w_in": normal(3, 3)}, r"there are cells \[1\]"),
        ({"out.w": normal(2, 3), "0.w_in": normal(3, 3)}, "the parameters w_in, of which no kind"),
        ({}, "weights is empty"),
        ({"dt": 3.0}, "weights is empty"),
    ],
)  # fmt: skip
def test_bad_weights_are_told(weights, told):
    options = {} if "dt" in weights else {"dt": 20.0}
    with pytest.raises(ValueError, match=told):
        network_of_weights(weights, **options)


def test_settings_are_told_once():
    with pytest.raises(ValueError, match="dt is 5.0, but the weights tell 10.0"):
        network_of_weights(LEAKY, dt=5.0)
    with pytest.raises(ValueError, match="do not tell the step: give dt"):
        network_of_weights(LINEAR)
    with pytest.raises(ValueError, match="cell 0 has r0, as the r-form"):
        network_of_weights(
            RateNetwork([LeakyRNN(3)], 2, 1, 10.0).parameters, dt=10.0, tau=50.0, form="x"
        )
    with pytest.raises(ValueError, match="'0.b' is missing"):
        w = without(RateNetwork([LeakyRNN(3)], 2, 1, 10.0).parameters, "0.b")
        network_of_weights(w, dt=10.0, cells=[LeakyRNN(3)])
    with pytest.raises(ValueError, match="'1.b' belongs to none of the cells: LeakyRNN"):
        w = RateNetwork([LeakyRNN(3)], 2, 1, 10.0).parameters | {"1.b": normal(3)}
        network_of_weights(w, dt=10.0, cells=[LeakyRNN(3)])
