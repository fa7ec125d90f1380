"""TFLite operators on resource variables, and loops."""

import tflite

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends import truths
from edgetx.frontends.tflite.file import Operator
from edgetx.frontends.tflite.scope import Scope, builtin
from edgetx.ir import Value

LARGEST_LOOP = 128
"""Steps that are written out."""


@builtin("CALL_ONCE")
def _call_once(_: Scope) -> None:
    """The importer evaluates its subgraph beforehand."""


@builtin("VAR_HANDLE")
def _var_handle(s: Scope) -> None:
    s.variables.handles[s.operator.outputs[0]] = variable_name(s.operator)


def variable_name(operator: Operator) -> str:
    """The name of the variable of a VAR_HANDLE.

    Raises:
        ModelError: If it has no options.
    """
    if operator.options is None:
        raise ModelError("damaged TFLite file: VAR_HANDLE without options")
    options = tflite.VarHandleOptions()
    options.Init(operator.options.Bytes, operator.options.Pos)
    name = b"/".join(part for part in (options.Container(), options.SharedName()) if part)
    return name.decode(errors="replace")


@builtin("WHILE")
def _while(s: Scope, *operands: Value | None) -> tuple[Value | str | None, ...]:
    """Written out: whether there is another step must not depend on the input."""
    options = s.options(tflite.WhileOptions)
    handles = [s.variables.handles.get(index) for index in s.operator.inputs]
    state: list[Value | str | None] = [a or b for a, b in zip(handles, operands, strict=True)]
    for _ in range(LARGEST_LOOP + 1):
        (goes_on,) = s.call(options.CondSubgraphIndex(), state)
        if not isinstance(goes_on, Value) or goes_on.name not in s.builder.consts:
            raise UnsupportedOpError("loop whose end depends on what is computed", hint="loop a fixed number of times")
        if not s.data(goes_on, "the condition").item():
            return tuple(state)
        state = s.call(options.BodySubgraphIndex(), state)
    raise UnsupportedOpError(f"loop of more than {LARGEST_LOOP} steps", hint="run the model step by step, with state")


@builtin("IF")
def _if(s: Scope, condition: Value, *operands: Value | None) -> tuple[Value | str | None, ...]:
    """Both branches are computed, and the results of one are taken."""
    options, held = s.options(tflite.IfOptions), dict(s.variables.current)
    then, other = options.ThenSubgraphIndex(), options.ElseSubgraphIndex()
    given = [s.variables.handles.get(index) or x for index, x in zip(s.operator.inputs[1:], operands, strict=True)]
    if condition.name in s.builder.consts:
        return tuple(s.call(then if s.data(condition, "the condition").item() else other, given))
    results = [s.call(index, given) for index in (then, other)]
    if any(s.variables.current[name] is not value for name, value in held.items()):
        raise UnsupportedOpError("branch that assigns to a variable", hint="assign what is chosen behind the branches")
    truth = s.reshape(condition, (1,))
    return tuple(_chosen(s, truth, a, b) for a, b in zip(*results, strict=True))


def _chosen(s: Scope, truth: Value, a: Value | str | None, b: Value | str | None) -> Value:
    if not isinstance(a, Value) or not isinstance(b, Value) or a.shape != b.shape or not a.type.is_float:
        raise UnsupportedOpError("branches that give other than real numbers of one shape")
    return truths.chosen(s, truth, a, b)


@builtin("READ_VARIABLE")
def _read_variable(s: Scope, _: None) -> Value:
    return s.variables.read(s.variables.name(s.operator.inputs[0]))


@builtin("ASSIGN_VARIABLE")
def _assign_variable(s: Scope, _: None, x: Value) -> None:
    s.variables.assign(s.variables.name(s.operator.inputs[0]), x)
