"""C by bakenn, with its own portable kernels or with CMSIS-NN: run by run.py in an environment that has bakenn."""

import sys
from pathlib import Path

import bakenn
from bakenn.compiler import CBackendOptions
from bakenn.targets import CORTEX_M4

KernelPolicy = type(CBackendOptions().kernel_policy)
OPTIONS = {
    "portable": CBackendOptions(),
    "cmsis": CBackendOptions(kernel_policy=KernelPolicy.STATIC_PRIORITY, enable_cmsis_nn=True, target=CORTEX_M4),
}


def main() -> None:
    """Compile the model to a folder with the kernels of a name."""
    model, out, kernels = sys.argv[1:]
    bakenn.compile_tflite(Path(model).read_bytes(), out, name="model", backend_options=OPTIONS[kernels])


if __name__ == "__main__":
    main()
