"""Every kind of member by its name, in the order in which models hold them.

Each is imported when it is asked for: XGBoost takes two seconds, JAX more.
"""

from collections.abc import Sequence
from importlib import import_module

from core.errors import SettingsError
from models.members.base import Member

KINDS = {
    "xgboost": ("models.members.xgboost_trees", "XgboostTrees"),
    "lightgbm": ("models.members.lightgbm_trees", "LightgbmTrees"),
    "linear": ("models.members.linear", "Linear"),
    "sequence": ("models.members.sequence", "Sequence"),
}


def select(names: Sequence[str]) -> list[Member]:
    """The members of these names.

    Raises:
        SettingsError: none, or an unknown one.
    """
    unknown = sorted(set(names) - set(KINDS))
    if unknown or not names:
        problem = f"no member {', '.join(unknown)}" if unknown else "no member at all"
        raise SettingsError(f"models.members: {problem}; known: {', '.join(KINDS)}")
    members: list[Member] = []
    for name, (module, kind) in KINDS.items():
        if name in names:
            members.append(getattr(import_module(module), kind)())
    return members
