"""C++ sources that put a TFLite file into a TFLite Micro firmware."""

import tflite

BYTES_PER_LINE = 16

HEADER = """\
#ifndef MODEL_DATA_H_
#define MODEL_DATA_H_

extern const unsigned char g_model[];
extern const unsigned int g_model_size;

#endif  // MODEL_DATA_H_
"""

DATA = """\
#include "model_data.h"

alignas(16) const unsigned char g_model[] = {{
{lines}
}};
const unsigned int g_model_size = sizeof(g_model);
"""

RESOLVER = """\
#ifndef OP_RESOLVER_H_
#define OP_RESOLVER_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using ModelOpResolver = tflite::MicroMutableOpResolver<{count}>;

// Registers exactly the operators that the model uses.
inline TfLiteStatus RegisterOps(ModelOpResolver& resolver) {{
{lines}
  return kTfLiteOk;
}}

#endif  // OP_RESOLVER_H_
"""

BUILTIN_NAMES = {number: name for name, number in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}
METHOD_WORDS = {"2D": "2D", "MATMUL": "MatMul"}


def micro_sources(model: bytes) -> dict[str, str]:
    """Sources by file name: the model as an aligned array, and a resolver with the operators that it uses."""
    rows = (model[start : start + BYTES_PER_LINE] for start in range(0, len(model), BYTES_PER_LINE))
    array = "\n".join(f"    {', '.join(f'0x{byte:02x}' for byte in row)}," for row in rows)
    calls = [f"  TF_LITE_ENSURE_STATUS(resolver.Add{_method(name)}());" for name in builtins(model)]
    return {
        "model_data.h": HEADER,
        "model_data.cc": DATA.format(lines=array),
        "op_resolver.h": RESOLVER.format(count=len(calls), lines="\n".join(calls)),
    }


def builtins(model: bytes) -> list[str]:
    """Names of the built-in operators that a file uses."""
    root = tflite.Model.GetRootAs(model)
    codes = {root.OperatorCodes(index).BuiltinCode() for index in range(root.OperatorCodesLength())}
    return sorted(BUILTIN_NAMES[code] for code in codes)


def _method(builtin: str) -> str:
    return "".join(METHOD_WORDS.get(word, word.capitalize()) for word in builtin.split("_"))
