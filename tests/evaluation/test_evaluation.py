import numpy as np
import pytest

from edgetx.decision import Decision
from edgetx.evaluation import (
    Event,
    bootstrap_interval,
    classify,
    detection_curve,
    keywords_of,
    spot,
    wilson_interval,
)
from edgetx.evaluation.detection import softmax
from edgetx.evaluation.spotting import Track, detections

CLASSES = ("yes", "no", "_unknown_", "_silence_")
NOBODY = np.empty(0, np.str_)


def test_wilson_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for truth in (0.6, 0.9, 0.98):
        intervals = [wilson_interval(int(k), 200) for k in rng.binomial(200, truth, 1000)]
        assert 0.93 < np.mean([low <= truth <= high for low, high in intervals]) < 0.98


def test_bootstrap_knows_that_speakers_fail_together():
    rng = np.random.default_rng(0)
    speakers = np.repeat([f"s{i}" for i in range(20)], 50)
    together = np.repeat(rng.uniform(size=20) < 0.8, 50)
    alone = rng.uniform(size=1000) < 0.8
    low, high = bootstrap_interval(together, speakers)
    low_alone, high_alone = bootstrap_interval(alone, speakers)
    assert high - low > 3 * (high_alone - low_alone)
    assert low < together.mean() < high


def test_bootstrap_of_independent_clips_is_near_wilson():
    correct = np.arange(1000) % 10 != 0
    groups = np.array([f"s{i}" for i in range(1000)])
    np.testing.assert_allclose(bootstrap_interval(correct, groups), wilson_interval(900, 1000), atol=0.004)


def test_classification_counts():
    labels = np.array([0, 0, 1, 1, 2, 2])
    answers = np.array([0, 1, 1, 1, 2, 0])
    speakers = np.array(["a", "a", "b", "b", "", "b"])
    result = classify(answers, labels, CLASSES, speakers)
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.confusion == [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert result.classes["yes"].recall == 0.5
    assert result.classes["no"].precision == pytest.approx(2 / 3)
    assert result.classes["_silence_"].recall is None
    assert result.speakers == {"a": 0.5, "b": pytest.approx(2 / 3)}
    assert result.speaker_interval_95 is not None
    assert classify(answers, labels, CLASSES, NOBODY).speaker_interval_95 is None


def test_keywords_have_no_underscores():
    assert keywords_of(CLASSES) == [0, 1]


def probabilities(*rows):
    return np.array([[*row, *[(1 - sum(row)) / 2] * 2] for row in rows])


def test_curve_of_a_perfect_detector():
    p = probabilities((0.9, 0.0), (0.0, 0.8), (0.1, 0.1), (0.2, 0.0))
    curve = detection_curve(p, np.array([0, 1, 2, 3]), CLASSES)
    assert curve.equal_error_rate == 0
    assert curve.area == pytest.approx(1.0)
    assert curve.false_accept_rate[0] == 1.0
    assert curve.miss_rate[-1] == 1.0


def test_curve_by_hand():
    p = probabilities((0.9, 0.0), (0.4, 0.0), (0.0, 0.7), (0.5, 0.0), (0.1, 0.0))
    curve = detection_curve(p, np.array([0, 0, 0, 2, 3]), CLASSES)  # the third is taken for another keyword
    at = {
        round(t, 3): (m, a) for t, m, a in zip(curve.thresholds, curve.miss_rate, curve.false_accept_rate, strict=True)
    }
    assert at[0.4] == (pytest.approx(1 / 3), 0.5)
    assert at[0.5] == (pytest.approx(2 / 3), 0.5)
    assert at[0.9] == (pytest.approx(2 / 3), 0.0)


def test_chance_has_half_the_area():
    rng = np.random.default_rng(0)
    p = softmax(rng.standard_normal((4000, 3)))[:, [0, 1, 2]]
    curve = detection_curve(p, np.repeat([0, 1], 2000), ("yes", "_unknown_", "_silence_"))
    assert curve.area == pytest.approx(0.5, abs=0.03)
    assert curve.equal_error_rate == pytest.approx(0.5, abs=0.03)


def test_without_keywords_there_is_no_curve():
    assert detection_curve(probabilities((0.5, 0.1)), np.array([0]), CLASSES) is None
    assert detection_curve(probabilities((0.5, 0.1)), np.array([2]), CLASSES) is None


def track(spans, seconds=60.0, events=(), step=0.1, level=0.95):
    """Windows that end every `step`; keyword `label` between start and end of each span."""
    ends = np.arange(1.0, seconds + 1e-9, step)
    p = np.tile([0.01, 0.01, 0.49, 0.49], (len(ends), 1))
    for start, end, label in spans:
        inside = (ends >= start - 1e-6) & (ends <= end + 1e-6)
        p[inside] = [(1 - level) / 3] * 4
        p[inside, label] = level
    return Track(np.rint(20 * np.log(p)).astype(np.int8), 0.05, ends, seconds, events)


RULE = Decision(smoothing=3, threshold=0.5, refractory=9, background=(2, 3))


def test_a_long_stretch_is_one_detection_a_second():
    found = detections(track([(10, 12.5, 1)]), CLASSES, RULE)
    assert [label for _, label in found] == ["no"] * 3
    np.testing.assert_allclose([time for time, _ in found], [10.1, 11.1, 12.1], atol=1e-6)


def test_false_accepts_and_misses_are_counted():
    events = [Event(5, 6, "yes"), Event(20, 21, "no"), Event(40, 41, "_unknown_")]
    heard = track([(5.7, 6.2, 0), (20.6, 21, 0), (40.5, 41, 1)], events=events)
    result = spot([heard], CLASSES, RULE)
    assert result.keywords == 2
    assert result.compiled.miss_rate == 0.5
    assert result.compiled.false_accepts_per_hour == pytest.approx(2 * 60)
    assert result.compiled.median_delay_s == result.compiled.late_delay_s == pytest.approx(-0.2)
    assert result.points[-1].false_accepts_per_hour == 0
    assert result.points[-1].miss_rate == 1.0
    assert result.points[-1].median_delay_s is None


def test_smoothing_forgives_single_windows():
    result = spot([track([(10, 10.01, 0)], level=0.99)], CLASSES, RULE)
    point = result.at_rate(0)
    assert 0.3 < point.threshold < 0.4
    assert point.miss_rate is None


def test_a_lower_threshold_is_earlier():
    result = spot([track([(5.7, 6.2, 0)], events=[Event(5, 6, "yes")])], CLASSES, RULE)
    delays = [point.median_delay_s for point in result.points if point.median_delay_s is not None]
    assert delays == sorted(delays)
    assert delays[0] < delays[-1]


def test_rates_are_over_all_recordings():
    result = spot([track([(10, 10.5, 0)]), track([], seconds=30)], CLASSES, RULE)
    assert result.compiled.false_accepts_per_hour == pytest.approx(3600 / 90)
