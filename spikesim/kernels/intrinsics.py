"""What Numba lacks: atomics, prefetch, unchecked views, calls by address.

Each intrinsic emits plain LLVM that every target compiles; only ``pause`` differs, since the
instruction exists on x86 alone.
"""

import platform
import sys

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

LANES = 64  # neurons are laid out in blocks of this many

_X86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")
_I64 = ir.IntType(64)
_I32 = ir.IntType(32)


def _data(context, builder, array_type, array):
    return make_array(array_type)(context, builder, array).data


def _element(context, builder, array_type, array, index):
    """Pointer to ``array[index]``, neither bounds nor sign of the index checked."""
    data = (
        array
        if isinstance(array_type, types.CPointer)
        else _data(context, builder, array_type, array)
    )
    return builder.gep(
        data, [index], source_etype=context.get_data_type(array_type.dtype), inbounds=True
    )


@intrinsic
def lanes(typingctx, array, block):
    """View of the 64 elements ``array[64 * block : 64 * block + 64]``.

    Unlike a slice it checks nothing, holds no reference, and leaves the compiler in no doubt that
    two blocks of one array do not overlap: that is what lets an update loop over any number of
    variables vectorise without run-time alias tests.
    """
    view = types.Array(array.dtype, 1, "C")

    def codegen(context, builder, signature, args):
        first = builder.mul(args[1], _I64(LANES))
        item = context.get_abi_sizeof(context.get_data_type(array.dtype))
        out = make_array(view)(context, builder)
        populate_array(
            out,
            data=_element(context, builder, array, args[0], first),
            shape=[context.get_constant(types.intp, LANES)],
            strides=[context.get_constant(types.intp, item)],
            itemsize=context.get_constant(types.intp, item),
            meminfo=None,
        )
        return out._getvalue()

    return view(array, types.int64), codegen


@intrinsic
def double_lanes(typingctx, array, block):
    """View as doubles of what begins at ``array[64 * block]``: 64 of them, in one row or two."""
    view = types.Array(types.float64, 1, "C")

    def codegen(context, builder, signature, args):
        first = builder.mul(args[1], _I64(LANES))
        pointer = _element(context, builder, array, args[0], first)
        out = make_array(view)(context, builder)
        populate_array(
            out,
            data=builder.bitcast(pointer, ir.DoubleType().as_pointer()),
            shape=[context.get_constant(types.intp, LANES)],
            strides=[context.get_constant(types.intp, 8)],
            itemsize=context.get_constant(types.intp, 8),
            meminfo=None,
        )
        return out._getvalue()

    return view(array, types.int64), codegen


@intrinsic
def double_at(typingctx, array, index):
    """The double whose bytes begin at ``array[index]``."""

    def codegen(context, builder, signature, args):
        pointer = _element(context, builder, array, args[0], args[1])
        double = builder.bitcast(pointer, ir.DoubleType().as_pointer())
        return builder.load(double, align=4, typ=ir.DoubleType())

    return types.float64(array, types.int64), codegen


@intrinsic
def scratch(typingctx, real, count):
    """So many numbers of a kind that a function has for itself while it runs."""
    view = types.Array(real.dtype, 1, "C")
    number = count.literal_value if isinstance(count, types.IntegerLiteral) else None
    if number is None:
        return None

    def codegen(context, builder, signature, args):
        kind = context.get_data_type(real.dtype)
        place = cgutils.alloca_once(builder, kind, size=number)
        place.align = 64
        out = make_array(view)(context, builder)
        item = context.get_constant(types.intp, context.get_abi_sizeof(kind))
        populate_array(
            out,
            data=place,
            shape=[context.get_constant(types.intp, number)],
            strides=[item],
            itemsize=item,
            meminfo=None,
        )
        return out._getvalue()

    return view(real, count), codegen


@intrinsic
def compact(typingctx):
    """Say of the function that calls it: its pointers lead to separate arrays; unroll no loops.

    COBA's update took twice as long with its loop unrolled: the constants found no registers.
    """

    def codegen(context, builder, signature, args):
        for argument in builder.function.args:
            if isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        branch = builder.branch

        def branch_with_hints(target):
            instruction = branch(target)
            if target.is_terminated:  # written before: this is a loop's way back
                hints = [builder.module.add_metadata(["llvm.loop.unroll.disable"])]
                hints += builder.function.__dict__.pop("hints_of_next_loop", [])
                loop = ir.MDValue(builder.module, [], str(len(builder.module.metadata)))
                loop.operands = (loop, *hints)  # its node contains itself, which tells loops apart
                instruction.set_metadata("llvm.loop", loop)
            return instruction

        builder.branch = branch_with_hints
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def interleave(typingctx):
    """In a `compact` function: take four vectors of the next loop at a time, in turn.

    Where one result waits for the other, as in the stages of Runge-Kutta, the processor does not
    look far enough ahead to begin with the next vector: AdEx's update took twice as long.
    """

    def codegen(context, builder, signature, args):
        four = builder.module.add_metadata(["llvm.loop.interleave.count", _I32(4)])
        builder.function.hints_of_next_loop = [four]
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def prefetch(typingctx, array, index):
    """Ask for the cache line of ``array[index]``; harmless beyond the end."""

    def codegen(context, builder, signature, args):
        pointer = _element(context, builder, array, args[0], args[1])
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [ir.PointerType(), _I32, _I32, _I32]),
            "llvm.prefetch.p0",
        )
        builder.call(function, [pointer, _I32(0), _I32(3), _I32(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), codegen


@intrinsic
def atomic_add(typingctx, array, index, amount):
    """``array[index] += amount`` for all threads at once; returns the value before."""

    def codegen(context, builder, signature, args):
        pointer = _element(context, builder, array, args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), codegen


@intrinsic
def atomic_load(typingctx, array, index):
    """``array[index]``, read anew at each call and ordered with the other threads' writes."""

    def codegen(context, builder, signature, args):
        pointer = _element(context, builder, array, args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8, typ=_I64)

    return types.int64(array, types.int64), codegen


@intrinsic
def fma(typingctx, a, b, c):
    """``a * b + c``, rounded once: one instruction, of one result on every machine."""

    def codegen(context, builder, signature, args):
        return builder.fma(*args)

    return a(a, a, a), codegen


@intrinsic
def lowest(typingctx, bits):
    """Place of the lowest bit that is set; one must be."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.IntType(1)(1))

    return types.int64(types.uint64), codegen


@intrinsic
def pause(typingctx):
    """Tell the core that the thread spins; nothing on other machines than x86."""

    def codegen(context, builder, signature, args):
        if _X86:
            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause"
            )
            builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), codegen


yield_thread = types.ExternalFunction(
    "SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32()
)


# int sched_setaffinity(pid_t, size_t, const cpu_set_t *); Linux alone has it.
set_affinity = (
    types.ExternalFunction(
        "sched_setaffinity", types.int32(types.int32, types.uint64, types.uint64)
    )
    if sys.platform == "linux"
    else None
)


@intrinsic
def call_at(typingctx, address, places, numbers):
    """Call a compiled kernel (see `generator`, `arrivals`) by its address; returns an int64.

    ``places`` is a tuple of tuples (array, first element), ``numbers`` one of int64. Going through
    an address keeps the run loop, which is compiled once, apart from the kernels it calls.
    """

    def codegen(context, builder, signature, args):
        pointers = []
        for pair, value in zip(places, cgutils.unpack_tuple(builder, args[1]), strict=True):
            array = builder.extract_value(value, 0)
            index = builder.extract_value(value, 1)
            pointers.append(_element(context, builder, pair.types[0], array, index))
        integers = cgutils.unpack_tuple(builder, args[2])
        kind = ir.FunctionType(_I64, [p.type for p in pointers] + [_I64] * len(integers))
        function = builder.inttoptr(args[0], kind.as_pointer())
        return builder.call(function, pointers + integers)

    return types.int64(address, places, numbers), codegen
