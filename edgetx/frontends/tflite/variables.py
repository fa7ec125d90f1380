"""Resource variables and other tensors that keep their contents; each becomes a state."""

from collections.abc import Collection, Mapping

from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.ir import Array, GraphBuilder, QuantParams, Value

Contents = tuple[Array, QuantParams | None]


class Variables:
    """The variables of a subgraph while it is imported.

    Args:
        builder: The graph being built.
        initial: Contents after reset, by name of the variable.
        assigned: Names of those that change; the others are constants. None if all may change.
    """

    def __init__(
        self, builder: GraphBuilder, initial: Mapping[str, Contents], assigned: Collection[str] | None = None
    ) -> None:
        self._assigned = assigned
        self.handles: dict[int, str] = {}
        self.current: dict[str, Value] = {}
        self._builder = builder
        self._initial = initial
        self._read: dict[str, Value] = {}

    def within(self, handles: Mapping[int, str]) -> "Variables":
        """The same variables as a subgraph knows them, by handles of its own."""
        inner = Variables.__new__(Variables)
        inner.__dict__.update(self.__dict__)
        inner.handles = dict(handles)
        return inner

    def name(self, handle: int) -> str:
        """The variable behind a handle.

        Raises:
            ModelError: If the tensor is not a handle.
        """
        if handle not in self.handles:
            raise ModelError("the handle of a variable is not made by VAR_HANDLE")
        return self.handles[handle]

    def read(self, name: str, initial: Contents | None = None) -> Value:
        """What the variable holds at this point of the invocation.

        Args:
            name: The variable.
            initial: What it holds after reset, if no subgraph says so.

        Raises:
            ModelError: If nothing was assigned to it.
        """
        if name not in self.current:
            contents = self._initial.get(name, initial)
            if contents is None:
                raise ModelError(
                    f"reads variable '{name}', to which nothing was assigned",
                    hint="convert with from_keras_model or from_concrete_functions, which keep weights as constants",
                )
            if self._assigned is not None and name not in self._assigned and name in self._initial:
                self.current[name] = self._builder.const(contents[0], f"{name}.const", contents[1])
                return self.current[name]
            if contents[1] is None and contents[0].dtype.kind != "f":
                raise UnsupportedOpError(
                    f"variable '{name}' of whole numbers",
                    hint="keep no counter: move the contents of a ring, so that its newest element is always the last",
                )
            self._read[name] = self.current[name] = self._builder.state(name, *contents)
        return self.current[name]

    def assign(self, name: str, value: Value) -> None:
        """Change what the variable holds."""
        self.current[name] = value

    def close(self) -> None:
        """Keep for the next invocation what the variables hold now.

        Raises:
            ModelError: If one would change its type.
        """
        for name, read in self._read.items():
            written = self.current[name]
            if written.type != read.type:
                raise ModelError(f"assigns {written.type} to a variable of {read.type}", where=name)
            self._builder.write_state(read, written)
