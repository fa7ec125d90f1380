"""Write what the routes start from: program, weights, calibration and test inputs with the float logits."""

import sys
from pathlib import Path

import numpy as np
import torch
from model import build, inputs
from variants import VARIANTS


def main(name: str, folder: Path) -> None:
    model = build(VARIANTS[name])
    calibration, test = inputs()
    with torch.no_grad():
        logits = model(test).numpy()
    folder.mkdir(parents=True, exist_ok=True)
    torch.export.save(torch.export.export(model, (calibration[:1],)), folder / "kwt.pt2")
    np.savez(folder / "weights.npz", **{key: value.numpy() for key, value in model.state_dict().items()})
    np.savez(folder / "calib.npz", x=calibration.numpy())
    np.savez(folder / "test.npz", in0_seq=test.numpy()[:, None], logits=logits)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
