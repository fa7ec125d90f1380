"""TFLite operators on resource variables."""

import tflite

from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value


@builtin("CALL_ONCE")
def _call_once(_: Scope) -> None:
    """The importer evaluates its subgraph beforehand."""


@builtin("VAR_HANDLE")
def _var_handle(s: Scope) -> None:
    options = s.options(tflite.VarHandleOptions)
    name = b"/".join(part for part in (options.Container(), options.SharedName()) if part)
    s.variables.handles[s.operator.outputs[0]] = name.decode(errors="replace")


@builtin("READ_VARIABLE")
def _read_variable(s: Scope, _: None) -> Value:
    return s.variables.read(s.variables.name(s.operator.inputs[0]))


@builtin("ASSIGN_VARIABLE")
def _assign_variable(s: Scope, _: None, x: Value) -> None:
    s.variables.assign(s.variables.name(s.operator.inputs[0]), x)
