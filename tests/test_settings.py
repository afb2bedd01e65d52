"""The settings: one table, environment and file, every mistake named."""

from pathlib import Path

import pytest

from consent.errors import BadSettings
from consent.settings import SETTINGS, load


def refused(**environ) -> str:
    with pytest.raises(BadSettings) as error:
        load(environ)
    return str(error.value)


def test_nothing_set_gives_a_working_installation():
    settings = load({})
    assert settings.database == f"sqlite://{Path('data').absolute() / 'consent.db'}"
    assert settings.public_url == "http://127.0.0.1:8080"


def test_the_database_follows_the_data_folder(tmp_path):
    assert load({"CONSENT_DATA": str(tmp_path)}).database == f"sqlite://{tmp_path / 'consent.db'}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSENT_PUBLIC_URL", "consent.example.org"),
        ("CONSENT_PUBLIC_URL", "https://consent.example.org/?x"),
        ("CONSENT_PUBLIC_URL", "https://consent.example.org/a+b"),
        ("CONSENT_PUBLIC_URL", "https://consent.example.org/a b"),
        ("CONSENT_PUBLIC_URL", "https://me:word@consent.example.org"),
        ("CONSENT_TRUSTED_PROXIES", "many"),
        ("CONSENT_TRUSTED_PROXIES", "-1"),
        ("CONSENT_TRUSTED_PROXIES", "²"),
        ("CONSENT_COUNTRY_HEADER", "a header"),
        ("CONSENT_GEOIP", "/nowhere/places.mmdb"),
        ("CONSENT_RATE_LIMIT", "often"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    assert name in refused(**{name: value})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CONSENT_PUBLIC_URI", "CONSENT_PUBLIC_URL"),
        ("CONSENT_DATABSE", "CONSENT_DATABASE"),
        ("CONSENT_CONFG", "CONSENT_CONFIG"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, nearest):
    assert f"did you mean {nearest!r}?" in refused(**{name: "x"})


def test_all_mistakes_are_reported_together():
    sentence = refused(CONSENT_RATE_LIMIT="often", CONSENT_TRUSTED_PROXIES="x", CONSENT_NONSENSE="1")
    assert all(name in sentence for name in ("RATE_LIMIT", "TRUSTED_PROXIES", "NONSENSE"))


def test_a_file_sets_and_the_environment_wins(tmp_path):
    file = tmp_path / "consent.toml"
    file.write_text('public_url = "https://a.example"\ntrusted_proxies = 1\n')
    settings = load({"CONSENT_CONFIG": str(file), "CONSENT_PUBLIC_URL": "https://b.example"})
    assert (settings.public_url, settings.trusted_proxies) == ("https://b.example", 1)


def test_an_unknown_name_in_the_file_is_refused(tmp_path):
    file = tmp_path / "consent.toml"
    file.write_text('publik_url = "https://a.example"\n')
    assert "did you mean 'public_url'?" in refused(CONSENT_CONFIG=str(file))


@pytest.mark.parametrize("text", [None, "a ="])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text):
    file = tmp_path / "consent.toml"
    if text:
        file.write_text(text)
    assert str(file) in refused(CONSENT_CONFIG=str(file))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_says_what_it_does(setting):
    assert setting.help.endswith(".") and len(setting.help) < 160
