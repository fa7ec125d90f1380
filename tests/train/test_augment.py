import math

import pytest
import torch

from edgetx.recipe import Augmentation
from edgetx.train import augment
from edgetx.train.augment import Augmenter


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def tones(count=8, length=4000, period=40):
    return torch.sin(2 * math.pi * torch.arange(length) / period).mul(1000).repeat(count, 1)


def test_no_shift_and_no_speed_change_nothing():
    audio = torch.randn(4, 1000)
    torch.testing.assert_close(augment.shift_and_speed(audio, 0.0, 0.0), audio)


def test_shift_moves_by_at_most_the_limit():
    audio = torch.zeros(64, 1000)
    audio[:, 500] = 1.0
    centre = augment.shift_and_speed(audio, 100.0, 0.0).argmax(dim=1)
    assert 400 <= centre.min() < 430
    assert 570 < centre.max() <= 600


def test_shift_around_loses_nothing():
    audio = torch.zeros(64, 1000)
    audio[:, 10] = 1.0
    assert augment.shift_and_speed(audio, 500.0, 0.0).sum(dim=1).min() == 0
    torch.testing.assert_close(augment.shift_and_speed(audio, 500.0, 0.0, around=True).sum(dim=1), torch.ones(64))


def test_speed_changes_the_pitch_within_the_limit():
    spectrum = torch.fft.rfft(augment.shift_and_speed(tones(64), 0.0, 0.2)).abs()
    pitch = spectrum.argmax(dim=1) / 100
    assert 0.8 <= pitch.min() < 0.85
    assert 1.15 < pitch.max() <= 1.2


def test_gain_stays_within_the_limit():
    ratio = augment.gain(tones(64), 6.0).square().mean(dim=1) / tones(1).square().mean()
    decibels = 10 * ratio.log10()
    assert -6 <= decibels.min() < -4
    assert 4 < decibels.max() <= 6


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_noise_has_the_asked_ratio(snr_db):
    clean = tones()
    added = augment.add_noise(clean, 100 * torch.randn(9000), 1.0, snr_db, snr_db) - clean
    ratio = clean.square().mean(dim=1) / added.square().mean(dim=1)
    torch.testing.assert_close(10 * ratio.log10(), torch.full((8,), snr_db), atol=0.1, rtol=0)


def test_noise_probability_is_the_share_of_noisy_clips():
    clean = tones(1000, 100)
    noisy = augment.add_noise(clean, torch.randn(9000), 0.3, 0.0, 0.0)
    assert 0.25 < (noisy != clean).any(dim=1).float().mean() < 0.35


def test_digital_silence_survives_noise_and_noise_survives_silence():
    assert augment.add_noise(torch.zeros(2, 100), torch.zeros(200), 1.0, 0.0, 0.0).isfinite().all()


@pytest.mark.parametrize("axis", [1, 2])
def test_mask_hides_whole_stretches(axis):
    hidden = augment.mask(torch.ones(200, 30, 20), axis, 1, 5) == 0
    other = 3 - axis
    assert (hidden.all(dim=other) == hidden.any(dim=other)).all()
    widths = hidden.any(dim=other).sum(dim=1)
    assert widths.min() == 0
    assert widths.max() == 5


def test_mixup_blends_targets_as_it_blends_features():
    labels = torch.arange(16) % 4
    targets = torch.nn.functional.one_hot(labels, 4).float()
    features = targets[:, None, :].expand(-1, 3, -1)
    mixed, blended = augment.mixup(features, targets, 0.5)
    torch.testing.assert_close(mixed, blended[:, None, :].expand(-1, 3, -1))
    torch.testing.assert_close(blended.sum(dim=1), torch.ones(16))
    assert (blended.argmax(dim=1) == labels).float().mean() > 0.9


def test_equalizer_is_the_same_for_every_frame():
    response = augment.equalize(torch.zeros(4, 10, 40), 6.0)
    torch.testing.assert_close(response, response[:, :1].expand(-1, 10, -1))
    decibels = augment.equalize(torch.zeros(2000, 1, 6), 6.0) / 512 * 3.01
    assert 5.8 < decibels.std() < 6.2


def test_defaults_change_nothing():
    still, audio, features = Augmenter(Augmentation(), 16_000), tones().round(), torch.randn(8, 5, 4)
    targets = torch.eye(8)
    assert torch.equal(still.audio(audio.short()), audio)
    assert still.log_mel(features) is features
    assert still.features(features, targets) == (features, targets)


def test_context_comes_before_every_clip_in_a_share_of_the_batches():
    features = torch.randn(6, 5, 4)
    torch.manual_seed(0)
    batches = [Augmenter(Augmentation(context=0.3), 16_000).context(features) for _ in range(200)]
    longer = [batch for batch in batches if batch.shape[1] == 10]
    assert 0.2 < len(longer) / len(batches) < 0.4
    assert all(torch.equal(batch[:, 5:], features) for batch in longer)
    before = longer[0][:, :5]
    assert not torch.equal(before, features)
    torch.testing.assert_close(before.sum(0), features.sum(0))
