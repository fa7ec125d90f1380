import numpy as np
import pytest
import torch

from edgetx.audio.frontend import FixedPointFrontEnd, extract
from edgetx.recipe import Augmentation, FrontEnd
from edgetx.train.augment import Augmenter
from edgetx.train.draws import Draws

RATE = 16_000
SETTINGS = FrontEnd(mean=12.5, std=7.0)


@pytest.fixture
def audio():
    return torch.randint(-9000, 9000, (7, 4000), generator=torch.Generator().manual_seed(1)).to(torch.int16)


def draws(audio, reuse, seed=0, **augmentation):
    front = FixedPointFrontEnd(SETTINGS, RATE, torch)
    return Draws(audio, Augmenter(Augmentation(**augmentation), RATE), front, reuse, seed)


def at(epoch, made):
    made.advance(epoch)
    return made[torch.arange(7)]


def test_without_changes_of_the_audio_draws_have_the_bits_of_the_deployed_front_end(audio):
    log_mel = at(1, draws(audio, 3))
    features = FixedPointFrontEnd(SETTINGS, RATE, torch).normalize(log_mel).float().numpy()
    np.testing.assert_array_equal(features, extract(audio.numpy(), SETTINGS, RATE))


def test_every_epoch_renews_its_share_and_every_clip_in_turn(audio):
    made = draws(audio, 3, gain_db=10)
    changed = torch.zeros(7)
    for epoch in range(2, 5):
        before = at(epoch - 1, made)
        renewed = (at(epoch, made) != before).flatten(1).any(dim=1)
        assert renewed.tolist() == [clip % 3 == epoch % 3 for clip in range(7)]
        changed += renewed
    assert changed.tolist() == [1] * 7


def test_starting_late_gives_the_same_draws(audio):
    made = draws(audio, 3, gain_db=10, shift_ms=20)
    for epoch in range(1, 8):
        made.advance(epoch)
    assert torch.equal(at(7, made), at(7, draws(audio, 3, gain_db=10, shift_ms=20)))


def test_seeds_draw_differently(audio):
    assert not torch.equal(at(1, draws(audio, 2, gain_db=10)), at(1, draws(audio, 2, seed=1, gain_db=10)))
