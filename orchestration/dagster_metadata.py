"""From an event to what Dagster records and shows, and from a user's mistake to one line."""

import base64
import functools
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import dagster as dg
import numpy as np
import pandas as pd
from dagster._core.definitions.data_version import CODE_VERSION_TAG

from orchestration.lineage import Event
from recsys.errors import UserError
from recsys.wording import DASH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")
VERSION = "version"
"""The metadata that names a version."""


def key(asset: str) -> dg.AssetKey:
    """Dagster's key of an asset."""
    return dg.AssetKey(asset.split("/"))


def materialised(event: Event, metadata: Mapping[str, Any]) -> dg.MaterializeResult:
    """What Dagster records of a version: its content hash as data version, its checks, and what a person sees."""
    failures = "\n".join(f"- {line}" for line in event.failures)
    of_now: dict[str, Any] = {
        "computed": "reused: nothing it depends on has changed" if event.reused else f"in {event.seconds:.1f} s",
        VERSION: event.fingerprint,
        **({"left_out": dg.MetadataValue.md(failures)} if failures else {}),
        **({"dagster/row_count": event.rows} if event.rows is not None else {}),
    }
    # A reused version brings the facts of the run that made it.
    hidden = {"computed_now"} if event.reused else set()
    rest = {name: value for name, value in metadata.items() if name not in of_now.keys() | hidden}
    # Sixteen digits of a figure hide what it says.
    shown = of_now | {name: float(f"{v:.4g}") if isinstance(v, float) else v for name, v in rest.items()}
    return dg.MaterializeResult(
        asset_key=key(event.asset),
        metadata=shown,
        data_version=dg.DataVersion(event.content_hash),
        # Dagster would record the version of the definition, although a selection may have left an input as it was.
        tags={CODE_VERSION_TAG: event.transitive_version},
        check_results=[
            dg.AssetCheckResult(
                check_name=check.name,
                passed=check.passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"finding": check.message},
            )
            for check in event.checks
        ],
    )


def user_errors_as_failures(function: Callable[P, R]) -> Callable[P, R]:
    """Make a user's mistake a failed step whose message is its one line."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except UserError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None

    return wrapped


def table(frame: pd.DataFrame, digits: int = 4) -> dg.MetadataValue:
    """A small table as Markdown, a dash where there is no figure."""
    shown = frame.astype(object).where(frame.notna(), None)
    return dg.MetadataValue.md(shown.to_markdown(index=False, floatfmt=f".{digits}f", missingval=DASH))


def preview(frame: pd.DataFrame, rows: int = 5, width: int = 60) -> dg.MetadataValue:
    """The first rows of a table, long texts cut."""
    return table(frame.head(rows).map(lambda value: _words(value)[:width]))


def _words(value: object) -> str:
    """A cell as text: values of a list side by side, nothing where nothing is known."""
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(map(str, value))
    return "" if pd.isna(value) else str(value)  # type: ignore[call-overload]


def plot(figure: "Figure") -> dg.MetadataValue:
    """A figure as a picture within Markdown."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})")
