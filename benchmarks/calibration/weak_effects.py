"""How much content must drive choice for a true lift of 2, 10 and 20 %: simulated once, kept in `settings.WEAK`.

    cd benchmarks && python -m calibration.weak_effects

The true lift at a weight is the mean, over many markets, of the lift of the model that a study chooses with content
over the rival that it chooses; studies of one repeat estimate it without bias. The weights for the wanted lifts are
read off a parabola through these means, weighted by their errors.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from calibration.settings import TEXT, of_shape
from calibration.studies import CLOSED_FORM, Plan, study_draw

WANTED = (0.02, 0.10, 0.20)
WEIGHTS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)
"""Beyond, the rivals learn from interactions what the text says, and the lift falls again."""
ONE_REPEAT = Plan(CLOSED_FORM, repeats=1)
console = Console()


def lifts(weight: float, draws: int) -> np.ndarray:
    """The lift in each of so many markets, shape (draws,)."""
    drawn = of_shape(replace(TEXT, weights={"text": weight, "image": 0.0}))
    # Seeds beyond those of the calibration, which is to be fair.
    return np.array([study_draw(drawn, ONE_REPEAT, seed)["lift"] for seed in range(10_001, 10_001 + draws)])


def weights_for(
    wanted: Sequence[float], weights: Sequence[float], means: np.ndarray, errors: np.ndarray
) -> list[float]:
    """The weight at which the parabola through the means reaches each of the wanted lifts."""
    grid = np.linspace(min(weights), max(weights), 1000)
    lift = np.polyval(np.polyfit(weights, means, 2, w=1 / errors), grid)
    return [float(grid[np.abs(lift - each).argmin()]) for each in wanted]


def main(draws: Annotated[int, typer.Option(help="Markets of each weight.")] = 30) -> None:
    """Simulate, and print the means and the weights."""
    means, errors = [], []
    for weight in WEIGHTS:
        found = lifts(weight, draws)
        means.append(found.mean())
        errors.append(found.std(ddof=1) / np.sqrt(draws))
        console.print(f"weight {weight}: mean lift {means[-1]:+.1%} ± {errors[-1]:.1%}")
    for wanted, weight in zip(WANTED, weights_for(WANTED, WEIGHTS, np.array(means), np.array(errors)), strict=True):
        console.print(f"lift {wanted:.0%}: weight {weight:.2f}")


if __name__ == "__main__":
    typer.run(main)
