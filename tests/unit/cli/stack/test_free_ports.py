"""Two stacks that start at the same time get different ports."""

import subprocess
import sys
from pathlib import Path

from cli.stack.free_ports import free_ports

ROOT = Path(__file__).parents[4]
_OTHER = "from cli.stack.free_ports import free_ports; print(*free_ports([0])); input()"


def test_a_port_is_promised_until_the_process_that_chose_it_ends() -> None:
    pipe = subprocess.PIPE
    program = [sys.executable, "-c", _OTHER]
    with subprocess.Popen(program, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())  # nobody listens on it yet
        assert free_ports([port]) != [port]
        other.kill()
    assert free_ports([port]) == [port]
    assert free_ports([port]) == [port], "what is ours we may choose again"
    assert port not in free_ports([0] * 20)
