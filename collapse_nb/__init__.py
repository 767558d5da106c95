"""Neural Collapse, and the fine structure that survives it.

The names below are imported from their modules when they are first used, so that
`import collapse_nb` takes no time. `nbdev_export` rewrites the line of the version
and leaves the rest of this file as it is.
"""

__version__ = "0.2.0"

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clustering import LinearProbe as LinearProbe
    from .clustering import SubclassClusterer as SubclassClusterer
    from .clustering import cluster_and_probe as cluster_and_probe
    from .data import load_dataset as load_dataset
    from .discover import discover_in_model as discover_in_model
    from .discover import discover_subclasses as discover_subclasses
    from .experiment import Experiment as Experiment
    from .experiment import Run as Run
    from .experiment import run as run
    from .labels import make_scheme as make_scheme
    from .metrics import nc_metrics as nc_metrics
    from .models import extract_features as extract_features
    from .one_pass import NeuralCollapse as NeuralCollapse

_MODULES = {
    "Experiment": "experiment",
    "LinearProbe": "clustering",
    "NeuralCollapse": "one_pass",
    "Run": "experiment",
    "SubclassClusterer": "clustering",
    "cluster_and_probe": "clustering",
    "discover_in_model": "discover",
    "discover_subclasses": "discover",
    "extract_features": "models",
    "load_dataset": "data",
    "make_scheme": "labels",
    "nc_metrics": "metrics",
    "run": "experiment",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    "Import a public name from its module when it is first used."
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    "The names of the module, those included that are not imported yet."
    return sorted({*globals(), *__all__})
