"""Where the planted-edge model is kept, by all that it follows from; light to ask.

Any home of a person uses it, so a second `tickhouse up` trains nothing. A change of features,
training, market, settings, libraries or machine has another key, and so another model.
"""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from adapters.simulator.markets import generated
from core.fingerprint import fingerprint
from core.sections import ModelSettings
from core.settings import Settings
from features.catalog import FEATURE_SET_HASH

#: Two members that train in seconds and agree or not; a second forest and the network would not.
MEMBERS = ("xgboost", "linear")
_PACKAGES = ("xgboost-cpu", "onnx", "scipy")


def folder(config: Settings) -> Path:
    """The folder for `key`: a registry with this one model, once it is trained."""
    return Path(config.registry.cache).expanduser() / "planted-edge" / key(config)


def key(config: Settings) -> str:
    """Hash of all that the model follows from: code, settings, market, libraries, machine."""
    digest = hashlib.sha256()
    for path in _code():
        digest.update(path.read_bytes())
    market = config.terminal.source, sorted(config.terminal.symbols), config.terminal.seed
    made_by = {name: _version(name) for name in _PACKAGES}, fingerprint()
    parts = FEATURE_SET_HASH, market, settings_of(config), config.features, made_by
    digest.update(msgspec.json.encode(parts))
    return digest.hexdigest()[:20]


def settings_of(config: Settings) -> ModelSettings:
    """How it is trained."""
    return msgspec.structs.replace(config.models, members=MEMBERS)


def _version(package: str) -> str:
    """Empty where another build of the library goes by another name."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _code() -> list[Path]:
    """Files whose change may change the model."""
    training = Path(__file__).parent
    folders = (training, training.parent / "members", training.parents[1] / "features")
    files = (path for each in folders for path in each.glob("*.py"))
    return sorted([*files, Path(generated.__file__)])
