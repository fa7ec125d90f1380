"""PyTorch to float graphs, through `torch.export`.

Every ATen op has one small handler that writes it with `GraphBuilder`. Convolutions and batch normalization are written
channels-last between transposes; the passes remove those again. Torch itself turns writes into tensors into values of
their own, decomposes ops without a handler into core ATen ops, and evaluates what does not depend on the input; what is
still unknown then is an error that names the op and its module.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.fx import Node as FxNode
from torch.fx import map_arg

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.torch.complex_numbers import COMPLEX, Complex, call, has_complex
from edgetx.frontends.torch.scope import HANDLERS, Handler, Scope
from edgetx.ir import Array, Graph, GraphBuilder, Value
from edgetx.nn.reparameterize import merge_branches  # edgetx.nn registers the ops that saved programs may hold


def load_pt2(path: Path) -> Graph:
    """Read a program saved by `torch.export.save`.

    Raises:
        ModelError: If the file is not such a program, or its shapes are dynamic.
        UnsupportedOpError: If it contains an op without integer form.
    """
    return import_program(load_program(path), path.stem)


def load_program(path: Path) -> ExportedProgram:
    """Read a program saved by `torch.export.save` as torch has it.

    Raises:
        ModelError: If the file is not such a program.
    """
    try:
        with _quiet_loader():
            return torch.export.load(str(path))
    except Exception as problem:  # torch raises whatever its unpickler and its schema checks raise
        raise ModelError(
            f"not a program saved by torch.export.save ({type(problem).__name__}: {str(problem).splitlines()[0]})",
            where=str(path),
            hint="torch.export.save(torch.export.export(model.eval(), (example_input,)), 'model.pt2')",
        ) from problem


def export_module(module: torch.nn.Module, example: torch.Tensor | Array, name: str) -> Graph:
    """Import a torch module, traced with an example input of batch size 1."""
    return import_program(torch.export.export(merge_branches(module.eval()), (torch.as_tensor(example),)), name)


def import_program(program: ExportedProgram, name: str) -> Graph:
    """The float graph of an exported program."""
    return _Importer(_decomposed(program), GraphBuilder(name)).run()


@contextmanager
def _quiet_loader() -> Iterator[None]:
    """Without the tracebacks that torch logs before it raises."""
    logger = logging.getLogger("torch.export")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _decomposed(program: ExportedProgram) -> ExportedProgram:
    """Let torch rewrite ops that write into their operands, and decompose those without a handler, as far as it can."""
    if any(_writes(node) for node in program.graph.nodes):
        program = program.run_decompositions({})
    table = torch.export.default_decompositions()
    tried = set[Any]()
    while unknown := {n.target for n in program.graph.nodes if n.op == "call_function" and not _handler(n)}:
        usable = {target: table[target] for target in unknown - tried if target in table}
        if not usable:
            break
        tried |= usable.keys()
        program = program.run_decompositions(usable)
    return program


def _writes(node: FxNode) -> bool:
    return isinstance(node.target, OpOverload) and node.target._schema.is_mutable


def _handler(node: FxNode) -> Handler | None:
    target = _target(node)
    return HANDLERS.get(target) or COMPLEX.get(target)


def _target(node: FxNode) -> str:
    return str(node.target).removeprefix("aten.").removeprefix("<built-in function ").rstrip(">")


@dataclass
class _Importer:
    program: ExportedProgram
    builder: GraphBuilder

    def __post_init__(self) -> None:
        self.values: dict[str, Any] = {}

    def run(self) -> Graph:
        self._refuse_batches()
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self.values[node.name] = self._placeholder(node)
            elif node.op == "call_function":
                self.values[node.name] = self._call(node)
        signature = self.program.graph_signature
        if changed := [*signature.buffers_to_mutate.values(), *signature.user_inputs_to_mutate.values()]:
            raise ModelError(
                f"forward changes '{changed[0]}'", where=self.builder.name, hint="keep nothing between calls"
            )
        found = [self.values.get(str(name)) for name in signature.user_outputs]
        if has_complex(found):
            raise ModelError("a complex output", where=self.builder.name, hint="return torch.view_as_real of it")
        outputs = [value for value in found if isinstance(value, Value) and value.name not in self.builder.consts]
        if len(outputs) < len(found):
            raise ModelError("an output does not depend on the input", where=self.builder.name, hint="leave it out")
        return self.builder.graph(*outputs)

    def _refuse_batches(self) -> None:
        """Refuse a model that was exported for several clips at once; its states may begin with other axes."""
        names = self.program.graph_signature.user_inputs
        shapes = [tuple(n.meta["val"].shape) for n in self.program.graph.nodes if n.name in names and "val" in n.meta]
        if shapes and all(shape and isinstance(shape[0], int) and shape[0] != 1 for shape in shapes):
            raise ModelError(
                f"batch size {shapes[0][0]}, expected 1", where=names[0], hint="export with an example of batch size 1"
            )

    def _placeholder(self, node: FxNode) -> Any:
        signature = self.program.graph_signature
        stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        constants = {**self.program.state_dict, **self.program.constants}
        path = stored.get(node.name) or signature.inputs_to_lifted_tensor_constants.get(node.name)
        if path is not None:
            return self._const(constants[path], path)
        tensor = node.meta["val"]
        if not isinstance(tensor, torch.Tensor):
            return None
        if tensor.is_complex():
            raise ModelError("a complex input", where=node.name, hint="take its parts, and use torch.view_as_complex")
        return self.builder.input(node.name, _static_shape(node, tensor))

    def _const(self, tensor: torch.Tensor, name: str) -> Any:
        if tensor.is_complex():
            return Complex(self._const(tensor.real, f"{name}.real"), self._const(tensor.imag, f"{name}.imag"))
        return self.builder.const(_numpy(tensor), name)

    def _call(self, node: FxNode) -> Any:
        _static_shape(node, node.meta.get("val"))
        handler = _handler(node)
        where = _place(node)
        if self._is_constant(node):
            return self._evaluated(node, where)
        args = [self._argument(a) for a in node.args]
        kwargs = {key: self._argument(a) for key, a in node.kwargs.items()}
        if handler is None and not has_complex(args):
            raise UnsupportedOpError(
                f"op '{node.target}' is not supported",
                where=where,
                hint="`edgetx list ops` shows what is; express it by those or leave it outside the model",
            )
        s = Scope(self.builder, where, node)
        try:
            if handler is None or has_complex(args):
                return call(s, _target(node), args, kwargs)
            return handler(s, *args, **kwargs)
        except ModelError as error:
            raise type(error)(error.what, where=error.where or where, hint=error.hint) from error

    def _is_constant(self, node: FxNode) -> bool:
        """Whether a node is the same in every invocation."""
        if not isinstance(node.target, OpOverload) or torch.Tag.nondeterministic_seeded in node.target.tags:
            return False
        operands = [self.values[operand.name] for operand in node.all_input_nodes]
        return all(self._is_const(value) for value in operands)

    def _is_const(self, value: Any) -> bool:
        if isinstance(value, Complex):
            return self._is_const(value.real) and self._is_const(value.imag)
        return isinstance(value, Value) and value.name in self.builder.consts

    def _evaluated(self, node: FxNode, where: str) -> Any:
        def tensor(operand: FxNode) -> torch.Tensor:
            value = self.values[operand.name]
            if isinstance(value, Complex):
                return torch.complex(*(torch.from_numpy(self.builder.consts[v.name]) for v in (value.real, value.imag)))
            return torch.from_numpy(self.builder.consts[value.name])

        assert isinstance(node.target, OpOverload)
        result = node.target(*map_arg(node.args, tensor), **map_arg(node.kwargs, tensor))
        if isinstance(result, torch.Tensor):
            return self._const(result, where)
        return tuple(self._const(part, where) for part in result or ())

    def _argument(self, argument: Any) -> Any:
        if isinstance(argument, FxNode):
            return self._real(self.values[argument.name])
        if isinstance(argument, list | tuple):
            return [self._argument(a) for a in argument]
        return argument

    def _real(self, value: Any) -> Any:
        """The value, with constant integers as real numbers."""
        data = self.builder.consts.get(value.name) if isinstance(value, Value) else None
        if data is None or data.dtype.kind == "f":
            return value
        return self.builder.const(data.astype(np.float32), value.name)


def _numpy(tensor: torch.Tensor) -> Array:
    detached = tensor.detach().cpu()
    array: Array = (detached.float() if detached.is_floating_point() else detached).numpy()
    return array


def _place(node: FxNode) -> str:
    """Dotted path of the module that the op belongs to, and the op's name unless the module is that op."""
    op = str(node.target).removeprefix("aten.").split(".")[0]
    stack = node.meta.get("nn_module_stack") or {"": ("", "")}
    path, module = next(reversed(stack.values()))
    path = path.removeprefix("L__self__").removeprefix(".")
    if not path:
        return node.name
    kind = str(module).rsplit(".", 1)[-1].lower()
    return path if op.replace("_", "") in kind else f"{path}.{op}"


def _static_shape(node: FxNode, tensor: Any) -> tuple[int, ...]:
    if not isinstance(tensor, torch.Tensor):
        return ()
    if any(not isinstance(n, int) for n in tensor.shape):
        raise ModelError(
            f"dynamic shape {tuple(map(str, tensor.shape))}",
            where=_place(node),
            hint="export with fixed shapes and batch size 1: leave out dynamic_shapes",
        )
    return tuple(tensor.shape)
