"""Post-training quantization: calibrate, plan, apply."""

from edgetx.quant.apply import apply_plan
from edgetx.quant.calibrate import Ranges, calibrate, observe, ranges_of, row_peaks
from edgetx.quant.membranes import with_reach, with_telling_currents
from edgetx.quant.plan import QuantPlan, TensorPlan, make_plan, raised_in, tied_tensors
from edgetx.quant.recipe import QuantRecipe, parse_recipe

__all__ = [
    "QuantPlan",
    "QuantRecipe",
    "Ranges",
    "TensorPlan",
    "apply_plan",
    "calibrate",
    "make_plan",
    "observe",
    "parse_recipe",
    "raised_in",
    "ranges_of",
    "row_peaks",
    "tied_tensors",
    "with_reach",
    "with_telling_currents",
]
