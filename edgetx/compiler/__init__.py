"""The compiler end to end: from a source to a folder of artifacts and a report."""

from edgetx.compiler.artifact import Artifact, load_artifact
from edgetx.compiler.budget import Budget, parse_budget
from edgetx.compiler.compile import compile_model
from edgetx.compiler.settings import FORMS, parse_forms, parse_settings
from edgetx.compiler.source import Source, load_source
from edgetx.compiler.work import CompileOptions

__all__ = [
    "FORMS",
    "Artifact",
    "Budget",
    "CompileOptions",
    "Source",
    "compile_model",
    "load_artifact",
    "load_source",
    "parse_budget",
    "parse_forms",
    "parse_settings",
]
