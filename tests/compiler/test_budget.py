import pytest

from edgetx.compiler import Budget, parse_budget
from edgetx.errors import ConfigError, FitError

REPORT = {
    "stages": [{"ram_bytes": 1}, {"ram_bytes": 20_000, "flash_bytes": 60_000}],
    "profile": {"latency_us": 40_000.0},
}


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("", Budget()),
        ("ram=64K", Budget(ram_bytes=65536)),
        ("ram=1000, flash=0.5M,latency=40ms", Budget(1000, 524288, 40_000.0)),
        ("latency=250us", Budget(latency_us=250.0)),
        ("latency=1.5s", Budget(latency_us=1.5e6)),
    ],
)
def test_limits_are_understood(text, budget):
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "message"),
    [("rom=1K", "unknown limit"), ("ram=big", "quantity"), ("latency=4K", "quantity"), ("ram", "quan")],
)
def test_what_is_no_limit_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_budget(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ram=19K", "needs 20,000 bytes of ram, the budget is 19,456"),
        ("flash=50K", "of flash"),
        ("latency=39ms", "needs 40,000 µs of latency"),
    ],
)
def test_exceeded_limit_says_by_how_much(text, message):
    with pytest.raises(FitError, match=message):
        parse_budget(text).check(REPORT)


def test_kept_limits_pass_and_unmeasured_ones_do_not():
    parse_budget("ram=20K,flash=60K,latency=40ms").check(REPORT)
    with pytest.raises(FitError, match="was not measured"):
        parse_budget("latency=1s").check({**REPORT, "profile": None})
