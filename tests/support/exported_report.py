"""A report as MetaTrader 5's strategy tester exports it, written after its documented layout."""

from collections.abc import Mapping

_ROW = '<tr align="right"><td nowrap colspan="3">{}:</td><td nowrap><b>{}</b></td></tr>'


def exported_report(values: Mapping[str, str], encoding: str = "utf-16") -> bytes:
    """HTML with a title, a table of inputs, and one row for each value."""
    rows = "\n".join(_ROW.format(label, value) for label, value in values.items())
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN">
<html><head><title>1: Strategy Tester Report</title></head><body><div align="center">
<table width="100%"><tr><td><div><b>Strategy Tester Report</b></div></td></tr>
<tr align="right"><td nowrap colspan="3">Expert:</td><td nowrap><b>Moving Average</b></td></tr>
<tr align="right"><td nowrap colspan="3">Symbol:</td><td nowrap><b>EURUSD</b></td></tr>
<tr align="right"><td nowrap colspan="3">Period:</td><td><b>M1 (2014.05.01 -)</b></td></tr>
<tr align="right"><td nowrap colspan="3">Inputs:</td><td nowrap><b>Total Net Profit=5</b></td></tr>
{rows}
</table></div></body></html>""".encode(encoding)
