"""The order of passes from an imported graph to one ready for calibration."""

from edgetx.ir import Graph
from edgetx.passes.base import Pass, Repeat, Watcher, run_passes
from edgetx.passes.bound_mask import BoundMask
from edgetx.passes.convert_matmul import ConvertMatmul
from edgetx.passes.drop_clamp import DropClamp
from edgetx.passes.fold_constants import FoldConstants
from edgetx.passes.fold_into_lif import FoldIntoLif
from edgetx.passes.fuse_activation import FuseActivation
from edgetx.passes.fuse_affine import FuseAffine
from edgetx.passes.fuse_attention import FuseAttention
from edgetx.passes.hoist_slice import HoistSlice
from edgetx.passes.lower_lmu import LmuForm, lowering
from edgetx.passes.merge_duplicates import MergeDuplicates
from edgetx.passes.recognize_activation import RecognizeActivation
from edgetx.passes.recognize_hypot import RecognizeHypot
from edgetx.passes.recognize_index import RecognizeIndex
from edgetx.passes.recognize_norm import RecognizeNorm
from edgetx.passes.separate_states import SeparateStates
from edgetx.passes.simplify_movement import SimplifyMovement
from edgetx.passes.sink_movement import SinkReshape, SinkTranspose
from edgetx.passes.split_reduction import SplitReduction
from edgetx.passes.split_transpose import SplitTranspose
from edgetx.passes.widen_decays import WidenDecays


def float_passes(lmu: LmuForm = "fir", endless: bool = False) -> list[Pass]:
    """Normal form of a float graph: fused, without transposes that cancel, every row computed once.

    Args:
        lmu: Form of the memories of LMUs.
        endless: Whether they reach beyond the clip, as they do in a stream.
    """
    return [
        FoldConstants(),
        ConvertMatmul(),
        SimplifyMovement(),
        RecognizeIndex(),  # before activations, as one of which a part of it would be taken
        DropClamp(),  # of what integer files say of a softmax or a sigmoid, before either is looked for
        RecognizeHypot(),
        RecognizeNorm(),
        RecognizeActivation(),  # after norms, in which squares and roots have a meaning
        FuseAttention(),  # before movement is moved: it reads how heads were split off the chain
        *_settle_movement(),
        FuseAttention(),  # and again what reshapes have left the middle of
        BoundMask(),  # which attention has not taken in
        *_settle_movement(),
        *lowering(lmu, endless),  # before normalizations are folded, since filters take them in
        *_settle_movement(),
        SplitReduction(),
        DropClamp(),
        FuseAffine(),  # once nothing stands between a layer and its normalization any more
        FuseActivation(),  # after affine: the clamp comes last
        Repeat((HoistSlice(), MergeDuplicates())),  # a slice hoisted to both operands of a residual is one slice
        *_settle_movement(),
        FoldIntoLif(),  # what no layer above has taken in
        WidenDecays(),
        SplitTranspose(),  # once no other movement can take a part of it in
        SeparateStates(),  # last, since it adds conversions that mean nothing in real numbers
    ]


def integer_passes() -> list[Pass]:
    """Normal form of a graph that was imported with its integers; nothing here changes a bit."""
    return [*_settle_movement(), MergeDuplicates(), SplitTranspose()]


def canonicalize(graph: Graph, watch: Watcher | None = None, lmu: LmuForm = "fir", endless: bool = False) -> Graph:
    """Run the float passes."""
    return run_passes(graph, float_passes(lmu, endless), watch)


def _settle_movement() -> list[Pass]:
    return [Repeat((SimplifyMovement(), SinkTranspose(), SinkReshape()))]
