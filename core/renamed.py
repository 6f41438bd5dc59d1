"""Names of 0.1 that changed, kept for one version: every one of them stands here.

Three kinds reach us from outside the checkout: `python -m` paths in people's scripts and units,
modules that a strategy of their own imports, and classes that a flow of 0.1 left in its recovery
store by name. Whatever goes through here says so in a warning; 0.3 forgets it.
"""

import importlib
import logging
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

#: What is started as `python -m OLD`: a file of that name forwards to `run`.
PROCESSES = {
    "adapters.clickhouse.embedded": "warehouse",
    "adapters.mt5.server": "adapters.simulator.server",
    "reports.watch": "surveillance",
}
#: What people's strategies import, and what recovery stores name.
MODULES = {"models.strategy": "strategies.protocol", "models.edge": "strategies.edge"}
#: Names within a module, old or still there: what they are called now.
NAMES = {
    "models.strategy": {"Wishes": "Targets"},
    "streams.connectors.bus": {"Position": "SourcePosition"},
}
#: Methods of a person's class.
METHODS = {"targets": "wishes"}

_log = logging.getLogger(__name__)


def run(old: str) -> None:
    """Start the process that `python -m old` was, with the same arguments."""
    new = PROCESSES[old]
    print(f"python -m {old} is python -m {new} from 0.2 on; 0.3 forgets it", file=sys.stderr)
    runpy.run_module(new, run_name="__main__", alter_sys=True)


def install() -> None:
    """Let old module and class names be found. As often as one likes."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
    for name, names in NAMES.items():
        if name in sys.modules and name not in MODULES:
            _name(sys.modules[name], names)


def adopt(strategy: type) -> None:
    """Give a class its methods' present names, where it has only the old ones."""
    for new, old in METHODS.items():
        if not hasattr(strategy, new) and hasattr(strategy, old):
            _log.warning("%s.%s() is called %s() from 0.2 on", strategy.__name__, old, new)
            setattr(strategy, new, getattr(strategy, old))


class _Finder(MetaPathFinder, Loader):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in MODULES else None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        _log.warning("module %s is %s from 0.2 on; 0.3 forgets the old name", name, MODULES[name])
        moved = vars(importlib.import_module(MODULES[name]))
        vars(module).update({k: v for k, v in moved.items() if not k.startswith("__")})
        _name(module, NAMES.get(name, {}))


def _name(module: ModuleType, names: dict[str, str]) -> None:
    for old, new in names.items():
        setattr(module, old, getattr(module, new))
