"""Does the configuration keep its secrets, fill its gaps and refuse what cannot work?"""

import msgspec
import pytest

from tradingview_scraper.adapters.mt5.terminal.config import ENVIRONMENT, MT5TerminalConfig
from tradingview_scraper.adapters.mt5.terminal.errors import MT5ConfigError, MT5Error

PASSWORD = "h1dden-w0rd"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format])
def test_password_is_in_no_text_of_a_config(show):
    text = show(MT5TerminalConfig(login=1, password=PASSWORD))
    assert PASSWORD not in text
    assert "***" in text


def test_password_is_in_no_repr_of_what_holds_a_config():
    assert PASSWORD not in repr([MT5TerminalConfig(password=PASSWORD)])


def test_password_is_in_no_error_of_a_config():
    with pytest.raises(MT5ConfigError) as refused:
        MT5TerminalConfig(login=-1, password=PASSWORD)
    assert PASSWORD not in str(refused.value)


def test_password_still_reaches_the_terminal():
    assert MT5TerminalConfig(password=PASSWORD).password == PASSWORD


def test_repr_shows_what_is_not_secret():
    text = repr(MT5TerminalConfig(login=1234567, server="Broker-Demo"))
    assert "1234567" in text
    assert "Broker-Demo" in text


def test_environment_fills_what_was_left_out():
    config = MT5TerminalConfig().with_environment(
        {
            "MT5_TERMINAL_PATH": "C:\\MT5\\terminal64.exe",
            "MT5_LOGIN": "1234567",
            "MT5_PASSWORD": PASSWORD,
            "MT5_SERVER": "Broker-Demo",
        }
    )
    assert config.path == "C:\\MT5\\terminal64.exe"
    assert config.login == 1234567
    assert config.password == PASSWORD
    assert config.server == "Broker-Demo"


def test_environment_does_not_overrule_what_was_given():
    given = MT5TerminalConfig(path="a", login=1, password="b", server="c")
    filled = given.with_environment(
        dict.fromkeys(ENVIRONMENT.values(), "9"),
    )
    assert filled == given


def test_empty_variables_count_as_absent():
    config = MT5TerminalConfig().with_environment(dict.fromkeys(ENVIRONMENT.values(), ""))
    assert config == MT5TerminalConfig()


def test_login_in_the_environment_must_be_a_number():
    with pytest.raises(MT5ConfigError, match="MT5_LOGIN must be an account number, was 'demo'"):
        MT5TerminalConfig().with_environment({"MT5_LOGIN": "demo"})


def test_environment_is_checked_like_the_rest():
    with pytest.raises(MT5ConfigError, match="login must be a positive account number, was 0"):
        MT5TerminalConfig().with_environment({"MT5_LOGIN": "0"})


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"login": 0}, "login must be a positive account number, was 0"),
        ({"login": -5}, "login must be a positive account number, was -5"),
        ({"module": ""}, "module must name the library's module"),
        ({"attach_timeout_secs": 0.0}, "attach_timeout_secs must be at least 0.1, was 0"),
        ({"call_timeout_secs": -1.0}, "call_timeout_secs must be at least 0.1, was -1"),
        ({"order_timeout_secs": 0.05}, "order_timeout_secs must be at least 0.1, was 0.05"),
        ({"history_timeout_secs": float("nan")}, "history_timeout_secs must be at least 0.1"),
        ({"trade_poll_ms": 0}, "trade_poll_ms must be at least 1, was 0"),
        ({"account_poll_ms": 0}, "account_poll_ms must be at least 1, was 0"),
        ({"quote_poll_ms": -10}, "quote_poll_ms must be at least 1, was -10"),
        ({"bar_poll_ms": 0}, "bar_poll_ms must be at least 1, was 0"),
        ({"restart_delay_ms": 0}, "restart_delay_ms must be at least 1, was 0"),
        (
            {"restart_delay_ms": 500, "restart_delay_max_ms": 400},
            "restart_delay_max_ms must be at least 500, was 400",
        ),
    ],
)
def test_values_that_cannot_work_are_refused_with_their_name(fields, text):
    with pytest.raises(MT5ConfigError, match=text):
        MT5TerminalConfig(**fields)


def test_refusal_is_a_value_error_and_one_of_ours():
    with pytest.raises(ValueError, match="login") as refused:
        MT5TerminalConfig(login=0)
    assert isinstance(refused.value, MT5Error)


def test_a_misspelled_field_is_not_swallowed():
    with pytest.raises(TypeError):
        MT5TerminalConfig(passwort="x")
    with pytest.raises(msgspec.ValidationError, match="passwort"):
        msgspec.json.decode(b'{"passwort": "x"}', type=MT5TerminalConfig)


def test_config_cannot_be_changed():
    with pytest.raises(AttributeError):
        MT5TerminalConfig().login = 1


def test_equal_configs_are_one_key():
    one, other = (MT5TerminalConfig(path="a", login=1) for _ in range(2))
    assert {one: "client"}[other] == "client"


def test_config_survives_msgpack():
    config = MT5TerminalConfig(path="a", login=1, password=PASSWORD, portable=True)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(config), type=MT5TerminalConfig) == config


def test_real_money_has_to_be_asked_for():
    assert MT5TerminalConfig().allow_real_account is False
