"""Long work on several machines: a Dask cluster takes the blocks of `processes.blocks`, with the same numbers.

Raw data are read and results written by the process that asks; what its workers get is what the blocks need, personal
data among it: a cluster is as confidential as the machine with the data.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hhp_stats.errors import HhpError, InvalidInput

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10


def made_of() -> dict[str, str]:
    """What decides the numbers of a process: Python, the numeric libraries, and the code of this package."""
    import numpy as np  # here: without a cluster nothing is loaded for one
    import pandas as pd
    import scipy

    package = Path(__file__).resolve().parents[1]
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "scipy": scipy.__version__,
        "hhp_stats": _digest(package)[:12],
    }


def _digest(package: Path) -> str:
    """Of all code: names and bytes, so that a worker with other code is known."""
    total = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        total.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Share long work with the workers of the Dask scheduler at `address` ("tcp://HOST:PORT"); with None, as always.

    A worker that ends is replaced by the others, which do its blocks again. Refuses (InvalidInput, with the remedy) an
    address where no scheduler answers, a cluster without workers, and workers that would compute with another Python,
    other numeric libraries or other code of this package. Raises HhpError where the cluster goes away.
    """
    if address is None:
        yield
        return
    import joblib

    try:
        from distributed import Client
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise InvalidInput(
            "--dask needs the package distributed: .venv/bin/python -m pip install distributed, here and on all workers"
        ) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=True)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError):
        raise InvalidInput(
            f"no Dask scheduler answers at {address}: start one with `dask scheduler`, and give the address it prints"
        ) from None
    with client:
        _check_workers(client, address)
        try:
            with joblib.parallel_config(backend="dask", n_jobs=-1):
                yield
        except (CommClosedError, KilledWorker, CancelledError) as error:
            raise HhpError(
                f"the cluster at {address} went away ({type(error).__name__}): start its workers again and repeat the"
                " command, which keeps the studies that were done"
            ) from None


def _check_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        found = client.run(made_of)
    except TimeoutError:
        raise InvalidInput(
            f"the scheduler at {address} has no workers: start some with"
            f" `dask worker {address} --nworkers auto --nthreads 1`"
        ) from None
    except (ImportError, AttributeError) as error:
        raise InvalidInput(
            f"a worker of {address} cannot import this package ({error}): install the same lock file and package there"
        ) from None
    own = made_of()
    for worker, theirs in sorted(found.items()):
        other = [f"{name} {theirs.get(name)}, here {here}" for name, here in own.items() if theirs.get(name) != here]
        if other:
            raise InvalidInput(
                f"the worker {worker} might compute other numbers ({'; '.join(other)}): install the same lock file and"
                " the same version of this package there"
            )
