"""Statistical reports of the Happier, Healthier Professionals trials, and their estimators for a notebook.

`import hhp_stats as hs` gives the functions of `hhp_stats.library` by name: `hs.linear`, `hs.impute`, `hs.icc`, ...
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LIBRARY = {
    "regression": ("linear", "logit"),
    "missing": ("selection", "impute", "pool", "bounds", "tipping_points"),
    "trials": (
        "complier",
        "wild_bootstrap",
        "randomisation_test",
        "balance_table",
        "effect_size",
        "icc",
        "detectable_effect",
    ),
    "example": ("example_trial",),
}
_MODULE_OF = {name: module for module, names in _LIBRARY.items() for name in names}
__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str) -> Any:
    """A function of the library, imported when it is first asked for: the commands start without it."""
    if name not in _MODULE_OF:
        raise AttributeError(f"hhp_stats has no {name!r}; the library has {', '.join(_MODULE_OF)}")
    return getattr(import_module(f"hhp_stats.library.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
