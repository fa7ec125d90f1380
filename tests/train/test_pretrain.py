import pytest
import torch
from click.testing import CliRunner
from lightning_fabric import Fabric
from tones import ENCODER, tones_recipe

from edgetx.cli import main
from edgetx.errors import ConfigError, ModelError
from edgetx.nn.encoder import Encoder, EncoderOptions
from edgetx.nn.patchout import Patchout
from edgetx.recipe import Augmentation, Pretraining, load_recipe
from edgetx.train import train
from edgetx.train.augment import Augmenter
from edgetx.train.pretrain import pretrain, stage
from edgetx.train.pretrain.objective import OBJECTIVES
from edgetx.train.pretrain.ssast import draw_mask, info_nce
from edgetx.train.pretrain.tera import alter

RECIPE = tones_recipe("keyword_transformer", f'{ENCODER}, norm = "layer"', epochs=6, batch=6)

SMALL = EncoderOptions(width=16, layers=1, mlp=16, norm_place="pre")


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))

    def write(objective, text=RECIPE, epochs=2):
        path = tmp_path / "tones.toml"
        table = f'\n[pretraining]\nobjective = "{objective}"\nepochs = {epochs}\nbatch = 6\nwarmup_epochs = 1\n'
        path.write_text(text.replace("\n[training]", f"{table}\n[training]"))
        return path

    return write


def sounds(clips=8, frames=24, features=12):
    """Features with a direction in time: each frame holds a ramp and its own noise."""
    rng = torch.Generator().manual_seed(0)
    ramp = torch.linspace(-2, 2, frames)[None, :, None] * torch.linspace(0.5, 1, features)
    return ramp + 0.3 * torch.randn(clips, frames, features, generator=rng)


@pytest.mark.parametrize(
    ("name", "patch"), [("masked_patches", 0), ("masked_patches", 4), ("alteration", 0), ("positions", 0)]
)
def test_objectives_are_learnt(name, patch):
    torch.manual_seed(0)
    options = EncoderOptions(width=16, layers=1, mlp=16, norm_place="pre", patch_frames=2, patch_features=patch)
    encoder = Encoder((24, 12), 2, options)
    objective = OBJECTIVES[name](encoder, Pretraining(name))
    optimizer = torch.optim.AdamW(objective.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        loss = objective(sounds())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
    assert all(p.grad is not None for n, p in encoder.blocks.named_parameters())


def test_masks_hide_the_wanted_share():
    for grid in ((30, 1), (12, 6)):
        hidden = draw_mask(5, grid, 0.6)
        assert hidden.shape == (5, grid[0] * grid[1])
        assert (hidden.sum(dim=1) == round(0.6 * grid[0] * grid[1])).all()
    together = draw_mask(20, (12, 6), 0.3).reshape(20, 12, 6)
    neighbours = (together[:, 1:] & together[:, :-1]).sum() / together.sum()
    assert neighbours > 0.55  # single patches would have 0.3


def test_info_nce_by_hand():
    eye = 10 * torch.eye(4)[None]
    assert info_nce(eye, torch.eye(4)[None]) < 1e-3
    assert info_nce(torch.zeros(1, 4, 3), torch.randn(1, 4, 3)).item() == pytest.approx(torch.tensor(4.0).log().item())


def test_alteration_says_where():
    features = sounds(50, 40, 20)
    altered, where = alter(features, 0.3)
    quiet = where == 0
    assert torch.equal(altered[quiet], features[quiet])
    frames = where.amin(dim=2).bool().sum(dim=1)
    usual = frames[where.mean(dim=(1, 2)) < 1]
    assert usual.min() >= 7
    assert usual.max() <= 14
    assert 0.02 < (where.mean(dim=(1, 2)) == 1).float().mean() < 0.4


def test_positions_need_an_encoder_that_cannot_know_them():
    for options in (EncoderOptions(mixer=("lmu(8, 8)",)), EncoderOptions(causal=True, pooling="mean")):
        with pytest.raises(ValueError, match="nothing gives them away"):
            OBJECTIVES["positions"](Encoder((24, 12), 2, options), Pretraining("positions"))


def test_masked_patches_need_an_encoder_without_a_stem():
    with pytest.raises(ValueError, match="without a stem"):
        OBJECTIVES["masked_patches"](Encoder((24, 12), 2, EncoderOptions(stem=(4,))), Pretraining("masked_patches"))


def test_pretrained_weights_are_where_training_begins(recipe, recordings, tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr("edgetx.train.pipeline.pretrain", lambda *a: begun.append(pretrain(*a)) or begun[0])
    still = RECIPE.replace("learning_rate = 1e-2", "learning_rate = 0").replace("epochs = 6", "epochs = 1")
    train(recipe("alteration", still), recordings, tmp_path / "out")
    from edgetx.nn import load_zoo_model

    weights = load_zoo_model(tmp_path / "out")[0].state_dict()
    assert begun[0].keys() == {name for name in weights if not name.startswith("head.")}
    for name, value in begun[0].items():
        torch.testing.assert_close(weights[name], value)


@pytest.mark.parametrize("objective", ["masked_patches", "positions"])
def test_recipe_with_pretraining_learns(recipe, recordings, tmp_path, objective):
    path = recipe(objective, RECIPE.replace("epochs = 6", "epochs = 30"))
    assert train(path, recordings, tmp_path / "out").test.accuracy == 1.0


def test_interrupted_pretraining_goes_on(recipe, tmp_path, monkeypatch):
    loaded = load_recipe(recipe("alteration", epochs=4))
    clips = torch.randint(-3000, 3000, (12, loaded.data.samples), dtype=torch.int16)
    arguments = loaded, clips, Augmenter(Augmentation(gain_db=6), 16_000)
    fabric = Fabric(accelerator="cpu", devices=1)
    whole = pretrain(*arguments, tmp_path / "whole", fabric)
    saved = stage.save_checkpoint

    def killed(path, state):
        saved(path, state)
        if state["epoch"] == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stage, "save_checkpoint", killed)
        with pytest.raises(KeyboardInterrupt):
            pretrain(*arguments, tmp_path / "parts", fabric)
    parts = pretrain(*arguments, tmp_path / "parts", fabric)
    for name, value in whole.items():
        assert torch.equal(parts[name], value), name


def test_pretraining_that_does_not_fit_is_explained(recipe, recordings, tmp_path):
    cnn = RECIPE.replace("keyword_transformer", "ds-cnn").replace(RECIPE[RECIPE.index("options") :].split("\n")[0], "")
    with pytest.raises(ConfigError, match="not an encoder"):
        train(recipe("alteration", cnn.replace("ds-cnn", "ds-cnn")), recordings, tmp_path / "out")
    stem = RECIPE.replace("width = 8,", "width = 8, stem = [4],")
    with pytest.raises(ConfigError, match="without a stem"):
        train(recipe("masked_patches", stem), recordings, tmp_path / "out")
    result = CliRunner().invoke(main, ["train", str(recipe("nonsense")), "--data", str(recordings)])
    assert "expected one of masked_patches" in result.output


def test_pretraining_that_diverges_is_explained(recipe, recordings, tmp_path):
    path = recipe("alteration")
    path.write_text(path.read_text().replace("warmup_epochs = 1\n\n", "warmup_epochs = 0\nlearning_rate = 1e30\n\n", 1))
    with pytest.raises(ModelError, match=r"pretraining epoch \d is not a number"):
        train(path, recordings, tmp_path / "out")


def test_patchout_keeps_order_and_the_class_token():
    torch.manual_seed(0)
    placed = torch.arange(1 + 6 * 4).expand(2, -1)[..., None].float()
    kept = Patchout((6, 4), tokens=2, rows=2, columns=1)(placed)[0, :, 0]
    assert len(kept) == 1 + (6 - 2) * (4 - 1) - 2
    assert kept[0] == 0
    assert (kept.diff() > 0).all()
    assert len({int(token - 1) % 4 for token in kept[1:]}) == 3


def test_patchout_is_for_training_only():
    options = EncoderOptions(width=16, layers=1, mlp=16, pooling="mean", patchout=10)
    encoder, plain = (
        Encoder((24, 12), 2, options),
        Encoder((24, 12), 2, EncoderOptions(width=16, layers=1, mlp=16, pooling="mean")),
    )
    plain.load_state_dict(encoder.state_dict())
    x = sounds(2)
    assert torch.equal(encoder.eval()(x), plain.eval()(x))
    assert not torch.equal(encoder.train()(x), encoder(x))
    assert torch.equal(plain.train()(x), plain(x))


def test_patchout_that_leaves_nothing_or_does_not_fit():
    with pytest.raises(ValueError, match="leaves nothing"):
        Encoder((24, 12), 2, EncoderOptions(patchout=24))
    with pytest.raises(ValueError, match="only the mixer 'full'"):
        EncoderOptions(mixer=("lmu(8, 8)",), patchout=2)
