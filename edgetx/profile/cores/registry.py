"""Which model runs with which parameters."""

from edgetx.errors import TargetError
from edgetx.profile.cores.m0 import M0Model
from edgetx.profile.cores.m4 import M4Model
from edgetx.profile.cores.m7 import M7Model
from edgetx.profile.cores.m33 import M33Model
from edgetx.profile.cores.parameters import CoreParameters
from edgetx.profile.cores.timing import CoreModel


def make_model(core: CoreParameters) -> CoreModel:
    """The pipeline model of a core.

    Raises:
        TargetError: If its file has no pipeline table.
    """
    if core.m0:
        return M0Model(core.m0)
    if core.m4:
        return M4Model(core.m4)
    if core.m33:
        return M33Model(core.m33)
    if core.m7:
        return M7Model(core.m7)
    raise TargetError("no pipeline table", where=f"cores/{core.name}")
