"""The project as dbt read it, kept between runs: reading it takes as long as building a report.

dbt keeps that itself only as long as its address and every variable stay as they were. Ours change
from run to run (a port, days to build, days held back), and none of them changes what the project's
files mean. So what does is in the name of the file that keeps it, and dbt is given the content, as
its documentation of `dbtRunner` says.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dbt.cli.exceptions import DbtUsageException
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder
from dbt.version import __version__

from core import durable
from core.settings import environment_of
from orchestration import dbt_columns

#: Days, which macros write into statements when these are run; the project reads the same without.
OF_A_RUN = frozenset(
    {
        *("from_day", "to_day", "with_changed", "restated_days", "blocked_days", "report_date"),
        "firm_accounts",
    }
)
#: Settings that the project's files look at: where marts lie, and whether they are replicated.
_LOOKED_AT = tuple(environment_of("clickhouse", database="", cluster=""))


def invoke(words: Sequence[str]) -> int:
    """Run dbt in this process; its exit status. dbt itself prints what it has to say.

    Args:
        words: `--parsed`, the folder that keeps what was read; then a command of dbt's with its
            options, `--project-dir`, `--profiles-dir`, `--target-path`, `--log-path` and `--vars`
            among them.
    """
    ours = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("parsed", "project-dir", "profiles-dir", "target-path", "log-path", "vars"):
        ours.add_argument(f"--{name}", required=True)
    options, command = ours.parse_known_args(words)
    folders = [
        *("--project-dir", options.project_dir, "--profiles-dir", options.profiles_dir),
        *("--target-path", options.target_path, "--log-path", options.log_path),
    ]
    variables: dict[str, Any] = json.loads(options.vars)
    lasting = {name: value for name, value in variables.items() if name not in OF_A_RUN}
    kept = Path(options.parsed) / file_name(Path(options.project_dir), lasting)
    read_anew = [*folders, "--vars", json.dumps(lasting)]
    if command == ["parse"]:  # for the files that it writes
        return 0 if _parse(kept, read_anew) else 1
    manifest = _read(kept) or _parse(kept, read_anew)
    if manifest is None:
        return 1
    dbt_columns.describe()
    return _run(dbtRunner(manifest), [*command, *folders, "--vars", options.vars])[0]


def file_name(project: Path, variables: Mapping[str, Any]) -> str:
    """Another one whenever dbt could understand the project in another way."""
    settings = "".join(f" {os.environ.get(name)}" for name in _LOOKED_AT)
    digest = hashlib.sha256(f"{__version__}{settings}".encode())
    digest.update(json.dumps(variables, sort_keys=True).encode())
    for path in sorted(path for path in project.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(project)} {len(content)}\n".encode() + content)
    whose = f"{variables.get('mode', 'live')}{variables.get('firm', '')}"
    return f"{whose}-{digest.hexdigest()[:16]}.msgpack"


def _read(kept: Path) -> Manifest | None:
    """None when nothing is kept under this name, or nothing that can be read."""
    try:
        return Manifest.from_msgpack(kept.read_bytes(), decoder=extended_mashumuro_decoder)
    except FileNotFoundError:
        return None
    except Exception as damage:
        print(f"{kept.name} is damaged ({type(damage).__name__}); the project is read again")
        return None


def _parse(kept: Path, options: Sequence[str]) -> Manifest | None:
    """Read the project and keep what it says, in place of what was kept for this mode."""
    _, manifest = _run(dbtRunner(), ["parse", "--no-partial-parse", *options])
    if manifest is not None:
        durable.write(kept, manifest.to_msgpack(extended_mashumaro_encoder))
        mode = kept.name.partition("-")[0]
        for older in kept.parent.glob(f"{mode}-*.msgpack"):
            if older != kept:
                older.unlink(missing_ok=True)
    return manifest


def _run(dbt: dbtRunner, words: Sequence[str]) -> tuple[int, Any]:
    """Exit status and result of a command."""
    done = dbt.invoke(["--no-use-colors", *words])
    if isinstance(done.exception, DbtUsageException):  # all else dbt has printed itself
        print(done.exception, file=sys.stderr)
    return (0, done.result) if done.success else (1, None)
