"""The constants are those of the real package, name by name and value by value."""

from pathlib import Path

from adapters.mt5.protocol import constants

TABLE = Path(__file__).with_name("package_5_0_6231.txt")
NOT_IN_PACKAGE = {"SYMBOL_FILLING_FOK", "SYMBOL_FILLING_IOC"}  # MQL5's


def test_names_and_values_equal_the_packages() -> None:
    lines = [line.split() for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    package = {name: int(value) for name, value in lines}
    ours = {name: value for name, value in vars(constants).items() if name.isupper()}
    assert len(package) == 223
    assert len([name for name in package if name.startswith("TRADE_RETCODE_")]) == 40
    assert {name: ours[name] for name in ours if name not in NOT_IN_PACKAGE} == package
