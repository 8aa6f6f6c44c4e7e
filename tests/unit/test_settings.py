from __future__ import annotations

import re
from pathlib import Path

import pytest

from sleevenotes import errors, settings

CHECKOUT = Path(__file__).resolve().parents[2]


def test_without_anything_said_the_defaults_hold(tmp_path: Path) -> None:
    found = settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path)})
    assert found == settings.Settings(data_dir=str(tmp_path))


def test_what_is_told_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "sleevenotes.toml").write_text('port = 1\nhost = "from.file"\nlog_level = "error"\n', "utf-8")
    environment = {
        "SLEEVENOTES_DATA_DIR": str(tmp_path),
        "SLEEVENOTES_PORT": "2",
        "SLEEVENOTES_HOST": "from.environment",
    }
    found = settings.load(environment, port=3)
    assert (found.port, found.host, found.log_level) == (3, "from.environment", "error")


def test_an_override_that_is_none_leaves_the_rest_alone(tmp_path: Path) -> None:
    found = settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path), "SLEEVENOTES_PORT": "2"}, port=None)
    assert found.port == 2


def test_the_data_directory_told_is_where_the_file_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "sleevenotes.toml").write_text("port = 9\n", "utf-8")
    assert settings.load({}, data_dir=str(tmp_path)).port == 9


def test_the_file_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text("worker_jobs = 3\n", "utf-8")
    environment = {"SLEEVENOTES_DATA_DIR": str(tmp_path), "SLEEVENOTES_CONFIG": str(path)}
    assert settings.load(environment).worker_jobs == 3


def test_the_usual_database_url_counts_and_ours_comes_first(tmp_path: Path) -> None:
    usual = {"SLEEVENOTES_DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://usual/"}
    assert settings.load(usual).database_url == "postgresql://usual/"
    ours = {**usual, "SLEEVENOTES_DATABASE_URL": "postgresql://ours/"}
    assert settings.load(ours).database_url == "postgresql://ours/"


def test_a_bad_value_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.Unusable, match="port"):
        settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path), "SLEEVENOTES_PORT": "eighty"})


def test_a_log_level_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.Unusable, match="log_level"):
        settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path), "SLEEVENOTES_LOG_LEVEL": "loud"})


def test_an_unknown_setting_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "sleevenotes.toml").write_text("prot = 1\n", "utf-8")
    with pytest.raises(errors.Unusable, match="prot"):
        settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path)})


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "sleevenotes.toml").write_text("port =", "utf-8")
    with pytest.raises(errors.Unusable, match=r"sleevenotes\.toml"):
        settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path)})


def test_the_user_agent_names_the_program_and_its_contact() -> None:
    agent = settings.Settings(contact="mail@example.org").user_agent
    assert agent.startswith("Sleevenotes/")
    assert "( mail@example.org )" in agent


def test_the_data_path_is_absolute() -> None:
    assert settings.Settings(data_dir="data").data_path.is_absolute()


@pytest.mark.parametrize("address", ["home.example/music", "ftp://home.example", "https://home.example/a b", "/music"])
def test_an_address_that_browsers_cannot_reach_is_refused_by_name(address: str) -> None:
    with pytest.raises(errors.Unusable, match="base_url"):
        settings.load({}, base_url=address)


def test_a_proxy_that_is_no_address_is_refused_by_name() -> None:
    with pytest.raises(errors.Unusable, match="trusted_proxies"):
        settings.load({}, trusted_proxies="127.0.0.1, my-proxy")


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", 0), ("port", -1), ("port", 99_999), ("worker_jobs", 0), ("clock", "foo"), ("clock", "scale:x:0")],
)
def test_a_value_that_nothing_could_run_with_is_named(name: str, value: object) -> None:
    with pytest.raises(errors.Unusable, match=f"settings: .*{name}"):
        settings.load({}, **{name: value})


def test_a_file_that_is_not_of_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "sleevenotes.toml").write_bytes(b'contact = "J\xfcrgen"')
    with pytest.raises(errors.Unusable, match=r"sleevenotes\.toml.*UTF-8"):
        settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path)})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "sleevenotes.toml").mkdir()
    with pytest.raises(errors.Unusable, match=r"sleevenotes\.toml"):
        settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path)})


def test_a_named_file_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.toml"
    with pytest.raises(errors.Unusable, match=r"SLEEVENOTES_CONFIG: .*missing\.toml"):
        settings.load({"SLEEVENOTES_DATA_DIR": str(tmp_path), "SLEEVENOTES_CONFIG": str(path)})


def test_an_unknown_variable_of_ours_is_named_without_its_value(tmp_path: Path) -> None:
    environment = {"SLEEVENOTES_DATA_DIR": str(tmp_path), "SLEEVENOTES_LASTFM_SECRETT": "hush"}
    with pytest.raises(errors.Unusable, match="SLEEVENOTES_LASTFM_SECRETT") as refused:
        settings.load(environment)
    assert "hush" not in str(refused.value)


def test_variables_of_ours_that_are_no_settings_are_let_be() -> None:
    variable = re.compile(r'(?:environ\.get\(|_VARIABLE = )"(SLEEVENOTES_\w+)"')
    texts = [
        path.read_text("utf-8") for part in ("src", "tests", "benches") for path in (CHECKOUT / part).rglob("*.py")
    ]
    used = {name for text in texts for name in variable.findall(text)}
    assert {"SLEEVENOTES_PASSWORD", "SLEEVENOTES_SHARED_DATA"} <= used
    settings.load(dict.fromkeys(used, "x"))
