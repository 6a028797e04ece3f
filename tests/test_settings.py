"""Settings: units, defaults, cross-checks, and the example file."""

from pathlib import Path

import pytest

from service.settings import InvalidSettings, env_example, load_settings

ROOT = Path(__file__).parent.parent


def test_the_example_file_is_what_the_settings_say() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()


def test_the_example_file_holds_the_defaults(tmp_path: Path) -> None:
    example = tmp_path / "env"
    example.write_text(env_example())
    assert load_settings(_env_file=example) == load_settings(_env_file=None)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LEARNING_LEASE_SECONDS", "0", "LEARNING_LEASE_SECONDS"),
        ("LEARNING_LEASE_SECONDS", "3", "LEARNING_REDIS_TIMEOUT_SECONDS"),
        ("LEARNING_QUEUE_CONCURRENCY", "many", "LEARNING_QUEUE_CONCURRENCY"),
        ("LEARNING_PREFETCH", "2", "LEARNING_PREFETCH"),
        ("GEMINI_TIMEOUT_SECONDS", "90", "GEMINI_TIMEOUT_SECONDS"),
        ("REDIS_URL", "http://example", "redis://"),
        ("MONGODB_URI", "example", "mongodb://"),
        ("PATTERN_THRESHOLD_EMOJI", "0", "PATTERN_THRESHOLD_EMOJI"),
        ("LEARNING_KEY_PREFIX", "a{b}", "LEARNING_KEY_PREFIX"),
        ("LEARNING_STEP_PERCENT", "50", "LEARNING_STEP_PERCENT"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        load_settings(_env_file=None)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_secret_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "REDIS_URL", "MONGODB_URI"):
        scheme = {"REDIS_URL": "redis://u:", "MONGODB_URI": "mongodb://u:"}.get(name, "")
        monkeypatch.setenv(name, f"{scheme}canary@localhost" if scheme else "canary")
    settings = load_settings(_env_file=None)
    assert "canary" not in f"{settings!r} {settings} {settings.model_dump_json()}"
