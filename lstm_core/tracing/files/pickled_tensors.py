"""What `torch.save` describes in `data.pkl`: where each tensor lies. The pickle is never run.

Its opcodes are walked by `pickletools`; those that build dictionaries, lists, tuples and plain values are followed, and
of all functions and classes only the names in `_KNOWN`, which stand for values of this module. Everything else that a
pickle could call is refused by its name.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lstm_core.errors import ModelError

LARGEST_PICKLE = 4 * 2**20
MOST_OPCODES = 200_000
# PyTorch's storage classes → the type of their elements.
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class TensorPlace:
    """Where the elements of a tensor lie: in storage `key`, of `elements` elements, by offset and strides."""

    dtype: str
    key: str
    elements: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class _Name:
    """A function or class that a pickle names; it stands for itself and is never imported."""

    name: str


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str
    elements: int


class _Mark:
    """Where the arguments of a later opcode begin."""


class _DamagedError(Exception):
    """The pickle isn't one that `torch.save` writes."""


def read_pickle(data: bytes, what: str) -> Any:
    """The value that a pickle describes, with `TensorPlace` for each tensor.

    Args:
        data: the bytes of `data.pkl`.
        what: the file's name in a sentence.

    Raises:
        ModelError: naming what the pickle would call, or if it is damaged or too large.
    """
    if len(data) > LARGEST_PICKLE:
        raise ModelError(f"{what} describes its tensors in {len(data):,} bytes; {LARGEST_PICKLE:,} is the most.")
    machine = _Machine(what)
    try:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if number >= MOST_OPCODES:
                raise ModelError(f"{what} takes more than {MOST_OPCODES:,} steps to describe; save fewer tensors.")
            if opcode.name == "STOP":
                return machine.stack.pop()
            machine.step(opcode.name, argument)
    except ModelError:
        raise
    except (_DamagedError, ArithmeticError, AttributeError, LookupError, TypeError, UnicodeError, ValueError) as error:
        raise ModelError(
            f"{what} is damaged: its description of the tensors can't be followed; get it again."
        ) from error
    raise ModelError(f"{what} is damaged: its description of the tensors has no end; get it again.")


class _Machine:
    """The stack and the memo of a pickle; `step` follows one opcode."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Follow one opcode."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _VALUES:
            self.stack.append(argument)
        elif name in ("PROTO", "FRAME"):
            return
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        else:
            raise self.refusal(f"the opcode {name}")

    def refusal(self, thing: str) -> ModelError:
        """The sentence about something that would have to be run."""
        shown = "".join(each if each.isprintable() else "?" for each in thing)[:80]
        return ModelError(
            f"{self.what} isn't read: it holds {shown}, as a whole pickled module does, which would have to be run; "
            'save the weights alone, by torch.save(model.state_dict(), "net.pt") or as a .safetensors file.'
        )

    def since_mark(self) -> list[Any]:
        """Take the values from the last mark on off the stack."""
        found = []
        while not isinstance(value := self.stack.pop(), _Mark):
            found.append(value)
        return found[::-1]

    def take(self, count: int) -> tuple[Any, ...]:
        """Take the last values off the stack."""
        if len(self.stack) < count or any(isinstance(each, _Mark) for each in self.stack[len(self.stack) - count :]):
            raise _DamagedError
        found = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return found

    def named(self, module: str, name: str) -> None:
        """A function or class: known, or the reason to refuse the pickle."""
        if module == "torch" and name in STORAGES:
            self.stack.append(_Name(name))
        elif f"{module}.{name}" in _KNOWN or (module == "torch" and name in DTYPE_NAMES):
            self.stack.append(_Name(f"{module}.{name}"))
        else:
            raise self.refusal(f"'{module}.{name}'")

    def named_on_stack(self, _: Any) -> None:
        """STACK_GLOBAL: module and name lie on the stack."""
        module, name = self.take(2)
        if not (isinstance(module, str) and isinstance(name, str)):
            raise _DamagedError
        self.named(module, name)

    def persistent(self, _: Any) -> None:
        """BINPERSID: ("storage", class, key, device, number of elements)."""
        kind, storage, key, _, elements = self.take(1)[0]
        if kind != "storage" or not isinstance(storage, _Name) or not isinstance(key, str) or not _is_size(elements):
            raise _DamagedError
        if storage.name not in STORAGES:
            raise self.refusal(f"a storage '{storage.name}'")
        self.stack.append(_Storage(STORAGES[storage.name], key, elements))

    def reduce(self, _: Any) -> None:
        """REDUCE: one of the known functions, done here."""
        function, args = self.take(2)
        if not isinstance(function, _Name) or function.name not in _KNOWN or not isinstance(args, tuple):
            raise _DamagedError
        self.stack.append(_KNOWN[function.name](*args))

    def build(self, _: Any) -> None:
        """BUILD: attributes, such as the `_metadata` of a `state_dict`, which aren't kept."""
        value, _attributes = self.take(2)
        if not isinstance(value, dict):
            raise _DamagedError
        self.stack.append(value)

    def set_items(self, pairs: list[Any] | tuple[Any, ...]) -> None:
        """Put keys and values into the dictionary on the stack."""
        target = self.stack[-1]
        if not isinstance(target, dict) or len(pairs) % 2:
            raise _DamagedError
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if type(key) not in (str, int, bool, float, type(None)):
                raise _DamagedError  # a tuple of tuples could take for ever to hash
            target[key] = value

    def append(self, values: list[Any] | tuple[Any, ...]) -> None:
        """Append to the list on the stack."""
        if not isinstance(self.stack[-1], list):
            raise _DamagedError
        self.stack[-1].extend(values)

    def marked_dictionary(self, _: Any) -> None:
        """DICT: of all since the mark."""
        pairs = self.since_mark()
        self.stack.append({})
        self.set_items(pairs)

    def remember(self, number: int) -> None:
        """PUT: keep the value on the stack under a number."""
        self.memo[number] = self.stack[-1]


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**48


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> TensorPlace:
    """`torch._utils._rebuild_tensor_v2`: the place of a tensor; all of it must lie in its storage."""
    sizes = (shape, strides)
    if not isinstance(storage, _Storage) or not all(isinstance(each, tuple) and len(each) <= 16 for each in sizes):
        raise _DamagedError
    if len(shape) != len(strides) or not all(map(_is_size, (offset, *shape, *strides))):
        raise _DamagedError
    elements = 1
    for size in shape:
        elements *= size
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if elements > storage.elements or (elements and last >= storage.elements):
        raise _DamagedError
    return TensorPlace(storage.dtype, storage.key, storage.elements, offset, shape, strides)


def _dictionary(*args: Any) -> dict[Any, Any]:
    """`OrderedDict()`; its items follow in opcodes of their own."""
    if args not in ((), ([],)):
        raise _DamagedError
    return {}


# The functions and classes that a pickle of tensors names → what they give here.
_KNOWN: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _dictionary,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    "torch.Size": lambda sizes: tuple(sizes),
    "torch.device": lambda *args: str(args[0])[:20],
}
DTYPE_NAMES = frozenset(STORAGES.values())
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_VALUES = frozenset(
    ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
)
_OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "MARK": lambda machine, _: machine.stack.append(_Mark()),
    "DICT": _Machine.marked_dictionary,
    "LIST": lambda machine, _: machine.stack.append(machine.since_mark()),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.stack.append(machine.take(1)),
    "TUPLE2": lambda machine, _: machine.stack.append(machine.take(2)),
    "TUPLE3": lambda machine, _: machine.stack.append(machine.take(3)),
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "APPEND": lambda machine, _: machine.append(machine.take(1)),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.remember),
    "MEMOIZE": lambda machine, _: machine.remember(len(machine.memo)),
    **dict.fromkeys(
        ("GET", "BINGET", "LONG_BINGET"), lambda machine, number: machine.stack.append(machine.memo[number])
    ),
    "GLOBAL": lambda machine, argument: machine.named(*argument.split(" ", 1)),
    "STACK_GLOBAL": _Machine.named_on_stack,
    "BINPERSID": _Machine.persistent,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
}
