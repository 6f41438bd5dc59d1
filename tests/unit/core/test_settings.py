"""Settings come from defaults, file and environment, and mistakes are named."""

from pathlib import Path

import msgspec
import pytest

from core import secrets, settings
from core.errors import SettingsError


def test_environment_wins_over_file_wins_over_default(tmp_path):
    (tmp_path / "tickhouse.toml").write_text("[execution]\nlots = 0.3\nmax_lots = 2.0\n")
    loaded = settings.load({"TICKHOUSE_EXECUTION__LOTS": "0.5"}, tmp_path)
    assert loaded.execution.lots == 0.5
    assert loaded.execution.max_lots == 2.0
    assert loaded.execution.max_quote_age_s == 10.0


def test_a_list_in_the_environment_is_separated_by_commas(tmp_path):
    loaded = settings.load({"TICKHOUSE_TERMINAL__SYMBOLS": "EURUSD, XAUUSD"}, tmp_path)
    assert loaded.terminal.symbols == ("EURUSD", "XAUUSD")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TICKHOUSE_EXECUTON__LOTS": "1"}, "did you mean 'execution'"),
        ({"TICKHOUSE_EXECUTION__LOTTS": "1"}, "did you mean 'lots'"),
        ({"TICKHOUSE_EXECUTION__LOTS": "many"}, r"execution\.lots"),
        ({"TICKHOUSE_LOTS": "1"}, "TICKHOUSE_<SECTION>__<NAME>"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path, environment, message):
    with pytest.raises(SettingsError, match=message):
        settings.load(environment, tmp_path)


@pytest.mark.parametrize("word", ["on", "true", "True", "YES", "1", "off", "false", "no", "0"])
def test_every_switch_takes_the_same_words(tmp_path, word):
    meant = word.lower() in ("on", "true", "yes", "1")
    given = {"TICKHOUSE_ORCHESTRATION__ENABLED": word, "TICKHOUSE_TWIN__ENABLED": word}
    loaded = settings.load(given, tmp_path)
    assert loaded.orchestration.enabled is meant
    assert loaded.twin.enabled == ("on" if meant else "off")


def test_a_switch_may_be_a_word_in_the_file_too(tmp_path):
    text = '[orchestration]\nenabled = "off"\n[terminal]\nnetting = true\n[twin]\nenabled = false\n'
    (tmp_path / "tickhouse.toml").write_text(text)
    loaded = settings.load({}, tmp_path)
    assert (loaded.orchestration.enabled, loaded.terminal.netting) == (False, True)
    assert loaded.twin.enabled == "off"
    assert settings.load({"TICKHOUSE_TWIN__ENABLED": "auto"}, tmp_path).twin.enabled == "auto"


def test_what_is_neither_on_nor_off_is_refused_by_name(tmp_path):
    with pytest.raises(SettingsError, match=r"orchestration\.enabled is 'maybe': say on or off"):
        settings.load({"TICKHOUSE_ORCHESTRATION__ENABLED": "maybe"}, tmp_path)


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "tickhouse.toml").write_text("[execution\n")
    with pytest.raises(SettingsError, match=r"tickhouse\.toml"):
        settings.load({}, tmp_path)


def test_settings_of_a_section_pass_to_a_child_process(tmp_path):
    environment = settings.environment_of("terminal", address="127.0.0.1:9", symbols=("A", "B"))
    loaded = settings.load(environment, tmp_path)
    assert (loaded.terminal.address, loaded.terminal.symbols) == ("127.0.0.1:9", ("A", "B"))


def test_every_section_as_it_ships_passes_to_a_child_process_unchanged(tmp_path):
    shipped = settings.load({}, tmp_path)
    for section in ("features", "signals", "exits", "execution", "models", "streams"):
        values = msgspec.structs.asdict(getattr(shipped, section))
        child = settings.load(settings.environment_of(section, **values), tmp_path)
        assert getattr(child, section) == getattr(shipped, section)


def test_a_value_can_stand_in_a_file_as_secrets_do(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("s3cret \n")
    loaded = settings.load({"TICKHOUSE_CLICKHOUSE__PASSWORD_FILE": str(secret)}, tmp_path)
    assert loaded.clickhouse.password == "s3cret "


def test_a_file_of_a_value_that_is_missing_unknown_or_double_is_refused(tmp_path):
    gone = {"TICKHOUSE_CLICKHOUSE__PASSWORD_FILE": str(tmp_path / "gone")}
    with pytest.raises(SettingsError, match=r"PASSWORD_FILE: .*gone cannot be read"):
        settings.load(gone, tmp_path)
    (tmp_path / "gone").write_text("x")
    with pytest.raises(SettingsError, match="without _FILE too"):
        settings.load(gone | {"TICKHOUSE_CLICKHOUSE__PASSWORD": "y"}, tmp_path)
    with pytest.raises(SettingsError, match="did you mean 'password'"):
        settings.load({"TICKHOUSE_CLICKHOUSE__PASSWORT_FILE": str(tmp_path / "gone")}, tmp_path)


def test_schedules_build_the_marts_of_what_runs_unless_another_world_is_named(tmp_path):
    def mode_of(**environ: str) -> str:
        return settings.load(
            {f"TICKHOUSE_{name}": mode for name, mode in environ.items()}, tmp_path
        ).marts_mode

    assert mode_of() == "demo"
    assert mode_of(RUN__MODE="live") == "live"
    assert mode_of(RUN__MODE="live", ORCHESTRATION__MODE="replay") == "replay"
    assert mode_of(ORCHESTRATION__MODE="") == "demo"  # as `up` hands it down


def test_a_bots_token_stands_in_no_file_that_is_shared_and_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "tickhouse.toml").write_text('[bot]\ntoken = "4711:decoy"\n')
    with pytest.raises(SettingsError, match="TICKHOUSE_BOT__TOKEN_FILE") as refused:
        settings.load({}, tmp_path)
    assert "decoy" not in str(refused.value)
    (tmp_path / "tickhouse.toml").write_text("[bot]\nchats = ['100', '-7']\ntells = ['alerts']\n")
    secret = tmp_path / "token"
    secret.write_text("4711:decoy\n")
    bot = settings.load({"TICKHOUSE_BOT__TOKEN_FILE": str(secret)}, tmp_path).bot
    assert (bot.token, bot.chats, bot.tells) == ("4711:decoy", ("100", "-7"), ("alerts",))
    assert "decoy" not in repr(bot)
    assert "decoy" not in secrets.masked("https://api.telegram.org/bot4711:decoy/getMe")


@pytest.mark.parametrize("text", ['[oidc]\nissuer = "x"', '[ask]\nprovider = "https://x/v1"'])
def test_whom_to_believe_and_whom_to_tell_stands_in_no_file_that_may_lie_there(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "tickhouse.toml").write_text(text)
    with pytest.raises(SettingsError, match="by the environment alone"):
        settings.load({}, tmp_path)
