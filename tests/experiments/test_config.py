"""Configurations: every malformed file or setting gives one sentence."""

import dataclasses
import re
from typing import Literal

import pytest

from qjax.experiments import Experiment, HarnessError
from qjax.experiments.config import (
    load_sections,
    parse_overrides,
    resolve,
    store_config,
    stored_config,
)


@dataclasses.dataclass(frozen=True)
class Config:
    """One field of every kind."""

    seed: int = 0
    rate: float = 0.5
    name: Literal["qng", "adam"] = "qng"
    depths: tuple[int, ...] = (1, 2)
    limit: int | None = None

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ValueError(f"`rate` must be positive, but is {self.rate}")


TRIAL = Experiment("trial", 1, Config, lambda config: [{}], lambda key: {}, ())
GOOD = "smoke: {}\ndefault: {rate: 1e-3, depths: [3]}\nfull:\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trial.yaml"


def test_a_section_is_laid_over_the_defaults_and_settings_over_both(path):
    path.write_text(GOOD)
    config = resolve(TRIAL, path.parent, "default", {"seed": 9, "limit": 4})
    assert config == Config(seed=9, rate=0.001, depths=(3,), limit=4)
    assert resolve(TRIAL, path.parent, "full") == Config()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("smoke: {}\ndefault: {}\n", "section 'full' is absent"),
        (GOOD + "ful: {}\n", "unknown section 'ful' (did you mean 'full'?)"),
        (GOOD.replace("rate", "rte"), "unknown key 'rte' (did you mean 'rate'?)"),
        (GOOD.replace("1e-3", "fast"), "key 'rate' is 'fast', but: Expected `float`"),
        (GOOD.replace("1e-3", "-1"), "`rate` must be positive, but is -1"),
        (GOOD.replace("[3]", "3"), "key 'depths' is 3, but: Expected `array`"),
        (GOOD.replace("[3]", "[a]"), "key 'depths[0]' is ['a'], but: Expected `int`"),
        ("smoke: {seed: true}\ndefault:\nfull:\n", "Expected `int`, got `bool`"),
        ("smoke: {seed: 1.5}\ndefault:\nfull:\n", "Expected `int`, got `float`"),
        ("smoke: {name: sgd}\ndefault:\nfull:\n", "key 'name' is 'sgd', but: Invalid"),
        ("smoke: [1]\ndefault:\nfull:\n", "section 'smoke' must be a mapping"),
        ("smoke: {}\nsmoke: {}\n", "(line 2): found duplicate key"),
        ("smoke: {seed: [1\n", "is not valid YAML (line 2)"),
        ("\tsmoke: {}\n", "is not valid YAML (line 1)"),
        ("- 1\n", "must hold a mapping of keys to values, but holds a list"),
        ("", "section 'smoke' is absent"),
    ],
)
def test_a_malformed_file_is_named_with_the_rule_it_breaks(path, text, rule):
    path.write_text(text)
    with pytest.raises(HarnessError, match=re.escape(rule)) as caught:
        load_sections(path, TRIAL)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_or_binary_file_is_named(path):
    with pytest.raises(HarnessError, match="must be readable"):
        load_sections(path, TRIAL)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HarnessError, match="must be UTF-8"):
        load_sections(path, TRIAL)


def test_settings_are_typed_like_the_files():
    found = parse_overrides(["depths=[4, 5]", "trial.rate=1e-2"], [TRIAL])
    assert found == {"trial": {"depths": [4, 5], "rate": 0.01}}


@pytest.mark.parametrize("setting", ["rate", "trail.rate=1", "rate=[1", "=3"])
def test_a_malformed_setting_is_named(path, setting):
    path.write_text(GOOD)
    with pytest.raises(HarnessError, match="Setting"):
        resolve(
            TRIAL, path.parent, "smoke", parse_overrides([setting], [TRIAL])["trial"]
        )


def test_the_short_form_of_a_setting_needs_a_single_experiment():
    two = [TRIAL, dataclasses.replace(TRIAL, name="other")]
    with pytest.raises(HarnessError, match=r"experiment\.field=value"):
        parse_overrides(["rate=1"], two)
    assert parse_overrides(["other.rate=1"], two) == {"other": {"rate": 1}}


def test_the_stored_copy_reads_back_and_belongs_to_one_version(tmp_path):
    path = tmp_path / "trial.default.yaml"
    assert stored_config(path, TRIAL) is None
    config = Config(seed=3, rate=1e-5, name="adam", depths=(), limit=2)
    store_config(path, TRIAL, "default", config)
    assert stored_config(path, TRIAL) == config
    for field in dataclasses.fields(Config):
        assert f"{field.name}:" in path.read_text()
    assert stored_config(path, dataclasses.replace(TRIAL, version=2)) is None


@dataclasses.dataclass
class Thawed:
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Seedless:
    rate: float = 0.0


@dataclasses.dataclass(frozen=True)
class Demanding:
    rate: float
    seed: int = 0


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (Thawed, "frozen dataclass"),
        (Seedless, "field `seed: int`"),
        (Demanding, "default for every field"),
        (int, "dataclass type"),
    ],
)
def test_a_config_type_that_cannot_work_is_refused_at_once(config, rule):
    with pytest.raises(ValueError, match=rule):
        dataclasses.replace(TRIAL, config=config)


@pytest.mark.parametrize("changes", [{"name": "My trial"}, {"version": 0}])
def test_a_bad_name_or_version_is_refused_at_once(changes):
    with pytest.raises(ValueError, match=f"Argument `{next(iter(changes))}` must"):
        dataclasses.replace(TRIAL, **changes)
