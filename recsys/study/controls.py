"""The controls that a verdict needs, trained once it is known which content model is judged.

Models are tuned side by side, so that what related ones chose is first tried on each other. Then the choice is made,
and trained with the same budget: its shuffled and popularity controls, each source's, the sources together with one
of them shuffled, and all combinations of up to four sources.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from recsys.content.arms import INTERACTIONS_ONLY, Arm, control_arm
from recsys.evidence.scores import Pair
from recsys.evidence.shapley import subset_name
from recsys.evidence.source_design import GroupPairs, SourceDesign, SourcePairs
from recsys.models import registry
from recsys.study import control_arms
from recsys.study.counting import cells_of_related
from recsys.study.ensembles import train_ensemble
from recsys.study.results import ArmResult, ModelResult
from recsys.study.selection import Selection, best, best_on, choose_sides, tally
from recsys.study.study import Study
from recsys.study.training import ModelWork, chosen_settings, train_fixed, train_model, train_nested
from recsys.tuning.budget import SHORTLIST
from recsys.tuning.trials import Params

HARDLY_MISSED = 0.5
"""A source may be one of several that stand in for each other where all sources keep half of their gain without it."""
FOR_THE_VERDICT = "needed for the verdict"
"""The stage of arms that no study lists and its verdict compares, said beside their progress."""
Train = Callable[[str, Sequence[Arm], ModelWork], ModelResult]
"""Trains arms of a model by the work that it is given."""


def select_with_controls(study: Study, name: str, results: ModelResult, train: Train) -> tuple[Selection, ModelResult]:
    """Choose on validation, and train the controls of the choice; gives the choice and all that was trained.

    A content model whose controls cannot be trained cannot be judged: the next best one is chosen in its place. A
    source whose controls cannot be trained is not judged.

    Raises:
        UserError: no content model, or no rival, is left to compare.
    """
    made = _nest_related(study, results, train)
    made = made.updated(_add_again(study, results, made, train))
    results = results.updated(made)
    unfit: list[str] = []
    while True:
        content, rival = choose_sides(name, results.arms, unfit)
        controls = _Controls(study, name, results, train)
        needed = controls.of_choice(content)
        made = made.updated(controls.made)
        if all(controls.known(pair) for pair in needed.values()):
            break
        unfit.append(content.model)
    sources = controls.of_sources(content)
    removed, itself = (content.model, f"{content.arm}_removed"), (content.model, INTERACTIONS_ONLY)
    selection = Selection(
        content=content.pair,
        rival=rival.pair,
        **needed,
        removed=removed if controls.known(removed) else None,
        itself=itself if controls.known(itself) else None,
        sources=sources,
        tried=tally(results.arms),
    )
    return selection, made.updated(controls.made)


def _nest_related(study: Study, results: ModelResult, train: Train) -> ModelResult:
    """Try on each model what its relatives chose; the arms that this changed.

    All settings among which later repeats choose are handed over: relatives that do the same then choose the same.
    """
    changed = ModelResult()
    for model in study.models:
        known = [each for each in results.arms if each.model == model]
        related = registry.related(model) - {model}
        known_to_them = [each for each in results.arms if each.model in related]
        settings = chosen_settings(study, known_to_them, SHORTLIST)
        if known and settings:
            n_cells = sum(cells_of_related(study, model, 1, each.searched.n_own) for each in known)
            work = ModelWork(
                partial(train_nested, study, model, known, settings), n_cells, "settings of related models"
            )
            changed = changed.updated(train(model, [each.as_arm for each in known], work))
    return changed


def _add_again(study: Study, results: ModelResult, changed: ModelResult, train: Train) -> ModelResult:
    """Add up the ensembles anew of which a member now has other settings; the arms that this changed."""
    made, newest = ModelResult(), results.updated(changed)
    for name, ensemble in study.ensembles.items():
        known = [each for each in results.arms if each.model == name]
        arms = [each.as_arm for each in known if any(changed.find(member) for member in each.members)]
        if arms:
            work = ModelWork(partial(train_ensemble, name, ensemble, arms, newest), stage="members at new settings")
            made = made.updated(train(name, arms, work))
    return made


class _Controls:
    """Trains what is missing, and remembers what was made."""

    def __init__(self, study: Study, name: str, results: ModelResult, train: Train) -> None:
        self.study, self.spec, self._train = study, study.datasets[name], train
        self.results, self.made = results, ModelResult()

    def known(self, pair: Pair) -> bool:
        """Whether a (model, arm) was trained."""
        return self.find(pair) is not None

    def find(self, pair: Pair) -> ArmResult | None:
        """What came of a (model, arm)."""
        return self.made.find(pair) or self.results.find(pair)

    def tuned(self, model: str, arms: Sequence[Arm]) -> None:
        """Tune arms of a model that are not there, and try on them what its other arms chose."""
        missing = [arm for arm in dict.fromkeys(arms) if not self.known((model, arm.name))]
        if missing and model in self.study.ensembles:
            members = [member for arm in missing for member in self.study.ensembles[model].members(arm)]
            for name in dict.fromkeys(member.model for member in members):
                self.tuned(name, [member.arm for member in members if member.model == name])
            self._add(model, missing)
        elif missing:
            own = chosen_settings(self.study, [each for each in self.results.arms if each.model == model])
            train = partial(train_model, self.study, model, missing, also=own)
            work = ModelWork(train, stage=FOR_THE_VERDICT, n_also=len(own))
            self.made = self.made.updated(self._train(model, missing, work))

    def fixed(self, of: ArmResult, arm: Arm) -> None:
        """Train an arm at the settings of another."""
        if self.known((of.model, arm.name)):
            return
        if of.model in self.study.ensembles:
            for pair, member in zip(of.members, self.study.ensembles[of.model].members(arm), strict=True):
                found = self.find(pair)
                assert found is not None
                self.fixed(found, member.arm)
            self._add(of.model, [arm], of.settings)
        else:
            work = ModelWork(
                partial(train_fixed, of.model, arm, of.settings), len(of.settings), f"settings of {of.arm}"
            )
            self.made = self.made.updated(self._train(of.model, [arm], work))

    def _add(self, ensemble: str, arms: Sequence[Arm], settings: Sequence[Params] | None = None) -> None:
        """Add up what the members of an ensemble left on arms."""
        spec, results = self.study.ensembles[ensemble], self.results.updated(self.made)
        work = ModelWork(
            partial(train_ensemble, ensemble, spec, arms, results, settings=settings), stage=FOR_THE_VERDICT
        )
        self.made = self.made.updated(self._train(ensemble, arms, work))

    def of_choice(self, content: ArmResult) -> dict[str, Pair]:
        """The controls of the chosen content model, by their part in the verdict."""
        shuffled = control_arms.shuffled(self.spec, content.shown)
        untuned = control_arms.shuffled_untuned(content.shown)
        popularity = control_arm(content.shown, "popularity")
        self.tuned(content.model, [shuffled, popularity])
        self.fixed(content, untuned)
        self.fixed(content, control_arm(content.shown, "removed"))
        arms = {"shuffled": shuffled, "untuned": untuned, "popularity": popularity}
        return {role: (content.model, arm.name) for role, arm in arms.items()}

    def of_sources(self, content: ArmResult) -> SourceDesign:
        """By which pairs the sources are judged; where no fused arm was run, the chosen model is given all sources.

        Likewise, where no model was shown a source alone, the one that is shown all of them is, unless they are many.
        """
        names, spec = list(self.spec.content), self.spec
        fused = control_arms.fused(spec).name
        fusing = (best_on(self.results.arms, fused) or content) if len(names) > 1 else None
        combined = fusing is not None and control_arms.are_combined(spec)
        owns = {source: own for source in names if (own := best_on(self.results.arms, source))}
        if fusing and combined:
            never_alone = [control_arms.of(spec, [source]) for source in names if source not in owns]
            self.tuned(fusing.model, never_alone)
            owns |= {arm.name: own for arm in never_alone if (own := self.find((fusing.model, arm.name)))}
            owns = {source: owns[source] for source in names if source in owns}
        needed = [(own.model, control_arms.shuffled(spec, own.shown)) for own in owns.values()]
        if fusing:
            for source in owns:
                full = control_arms.together(spec, [source])
                needed += [(fusing.model, arm) for arm in (full, control_arm(full, "shuffled", [source]))]
        if fusing and combined:
            without = [control_arms.together_without(spec, group) for group in control_arms.same_reading(spec)]
            needed += [(fusing.model, arm) for arm in (*control_arms.subsets(spec), *without)]
        # All arms of a model at once, so that the pool stays busy.
        for model in dict.fromkeys(model for model, _ in needed):
            self.tuned(model, [arm for owner, arm in needed if owner == model])
        for own in owns.values():
            self.fixed(own, control_arms.shuffled_untuned(own.shown))
        sources = {source: self._pairs(source, own, fusing) for source, own in owns.items()}
        sources = {source: pairs for source, pairs in sources.items() if all(map(self.known, pairs.pairs))}
        if fusing is None or not combined:
            return SourceDesign(sources=sources)
        pairs = {subset_name(()): (fusing.model, INTERACTIONS_ONLY)}
        for arm in control_arms.subsets(spec):
            pairs[subset_name([each for each in names if each in arm.sources])] = fusing.model, arm.name
        return SourceDesign(
            sources=sources,
            groups=self._groups(fusing.model, sources),
            subsets=pairs if all(map(self.known, pairs.values())) else {},
        )

    def _pairs(self, source: str, own: ArmResult, fusing: ArmResult | None) -> SourcePairs:
        shuffled = control_arms.shuffled(self.spec, own.shown)
        untuned = control_arms.shuffled_untuned(own.shown)
        pairs = SourcePairs(
            own=own.pair, own_shuffled=(own.model, shuffled.name), own_untuned=(own.model, untuned.name)
        )
        if fusing is None:
            return pairs
        full = control_arms.together(self.spec, [source])
        without = self._best_without(fusing.model, [source], control_arm(full, "shuffled", [source]))
        return pairs.model_copy(update={"full": (fusing.model, full.name), "full_altered": without})

    def _best_without(self, model: str, members: Sequence[str], shuffled: Arm) -> Pair:
        """The better on validation of two ways to take sources away: their rows shuffled, or left out.

        Where sources are too many for all combinations to be trained, they are shuffled.
        """
        others = [source for source in self.spec.content if source not in members]
        left_out = control_arms.of(self.spec, others).name if others else INTERACTIONS_ONLY
        combined = control_arms.are_combined(self.spec)
        found = [self.find((model, arm)) for arm in (shuffled.name, *([left_out] if combined else []))]
        better = best(each for each in found if each)
        return better.pair if better else (model, shuffled.name)

    def _groups(self, model: str, sources: Mapping[str, SourcePairs]) -> list[GroupPairs]:
        """Sources that read the same, and those that are hardly missed on validation while the others are there."""
        full = self.find((model, control_arms.together(self.spec, list(sources)).name))
        if full is None:
            return []
        nothing = self.find((model, INTERACTIONS_ONLY))
        gain = full.valid - nothing.valid if nothing else 0.0
        enough = full.valid - max(self.study.statistics.margin * full.valid, HARDLY_MISSED * gain)
        altered = {source: self.find(pairs.full_altered) for source, pairs in sources.items() if pairs.full_altered}
        idle = tuple(source for source, found in altered.items() if found and found.valid >= enough)
        groups = [*control_arms.same_reading(self.spec), *([idle] if len(idle) > 1 else [])]
        shuffled = {members: control_arms.together_without(self.spec, members) for members in groups}
        self.tuned(model, list(shuffled.values()))
        pairs = [
            GroupPairs(sources=members, full=full.pair, full_altered=self._best_without(model, members, arm))
            for members, arm in shuffled.items()
            if set(members) <= sources.keys()
        ]
        return [group for group in pairs if self.known(group.full_altered)]
