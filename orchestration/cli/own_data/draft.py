"""From data that were read to what a study of them says: threshold, core, split, content, and the reasons."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.cli.own_data.data_source import DataSource
from orchestration.cli.own_data.losses import sign
from orchestration.cli.own_data.thresholds import Threshold, threshold
from recsys.content.encoder import Context
from recsys.content.encoders import registry
from recsys.data.cleaning import CleaningRules, clean
from recsys.data.dataset import PARTS
from recsys.data.ids import spelt_twice
from recsys.data.images import pictures_note
from recsys.data.prepare import prepare
from recsys.data.raw import RawData
from recsys.data.splits import SplitRule, needs_times
from recsys.data.times import OURS
from recsys.errors import UserError
from recsys.study.applicable import RATED
from recsys.wording import count, whole_percent

CORES = (5, 3, 2)
KEPT = 0.5
"""Share of the positive interactions that a core must keep."""
TIMED = 0.5
"""Share of the people who must have interactions at more than one time for their order to mean anything."""
DIM = 128
SEED = 42


@dataclass(frozen=True)
class Draft:
    """What a study of a user's own data says.

    Attributes:
        source, cleaning, split, content, descriptions: as the study file has them.
        feedback: what an interaction is, in words.
        seen: what of an item there is to see.
        dates: from when to when, in words; empty where the data have no times.
        facts: of the prepared dataset, for estimates.
        reasons: each guess and why, one line each; a warning begins with `!`.
    """

    source: dict[str, Any]
    cleaning: dict[str, Any]
    split: dict[str, Any]
    content: dict[str, dict[str, Any]]
    feedback: str
    seen: tuple[str, ...]
    dates: str
    facts: dict[str, Any]
    reasons: tuple[str, ...] = field(default=())
    descriptions: dict[str, Any] = field(default_factory=dict)


def draft(source: DataSource, protocol: str | None, min_rating: float | None) -> Draft:
    """What suits the data.

    Args:
        source: where they are and what was read.
        protocol: of the split, where the user said one.
        min_rating: from which rating on a row counts, where the user said so.

    Raises:
        UserError: the split that was asked for cannot be made, or nothing is left to split.
    """
    raw = source.raw
    if not len(raw.interactions):
        bad = raw.quarantine["reason"].value_counts()
        raise UserError(f"no interaction can be used ({bad.index[0]}: {bad.iloc[0]:,} rows); fix the files")
    liked = _liked(source, min_rating)
    reasons = [f"! {said}" for said in spelt_twice(raw.interactions["user_id"])]
    reasons += [liked.reason] if liked.reason else []
    split_reasons: list[str] = []
    split = {"protocol": _protocol(raw, protocol, split_reasons), "seed": SEED}
    cleaning = _cleaning(_dated(raw, SplitRule.model_validate(split)), liked.value, reasons)
    reasons += split_reasons
    content, seen = _content(source, reasons)
    try:
        data = prepare(raw, CleaningRules.model_validate(cleaning), SplitRule.model_validate(split))
    except UserError as error:
        if liked.value is None:
            raise
        raise UserError(f"{error}; or count more rows as liked, with --min-rating ({liked.reason})") from None
    counts = data.facts["counts"]
    left = [f"{counts[what]:,} {what}" for what in ("users", "items", "interactions")]
    pictures = f" with {counts['pictures']:,} pictures" if "pictures" in counts else ""
    if again := counts["steps"]["duplicates"]:
        which = "latest" if "timestamp" in raw.interactions else "first"
        reasons.append(f"{count(again, 'interaction')} of a pair that is there already: the {which} counts")
    reasons.append(f"leaves {left[0]}, {left[1]}{pictures} and {left[2]}")
    facts = data.facts | {RATED: data.ratings is not None}
    return Draft(
        source.options, cleaning, split, content, liked.feedback, seen, _dates(raw), facts, (*source.reasons, *reasons)
    )


def _liked(source: DataSource, min_rating: float | None) -> Threshold:
    if "rating" not in source.raw.interactions:
        if min_rating is not None:
            raise UserError("--min-rating needs a column of ratings, and none was found: name it with --rating-column")
        return Threshold(None, source.feedback or "every row", "")
    ratings = source.raw.interactions["rating"]
    if min_rating is None and source.min_rating is not None and (ratings >= source.min_rating).any():
        least = source.min_rating
        share = (ratings >= least).mean()
        reason = f"min_rating: {least:g}, as usual for this layout; {whole_percent(share)} of the rows reach it"
        return Threshold(float(least), source.feedback, reason)
    try:
        return threshold(ratings, source.is_count, min_rating)
    except UserError as error:
        file, column = source.options.get("interactions", ""), source.options.get("rating_column")
        named = f"column '{column}': " if column else ""
        raise UserError(f"{Path(source.options['folder'], file)}: {named}{error}") from None


def _dated(raw: RawData, split: SplitRule) -> RawData:
    """The data that cleaning gets: without the rows that lack a time, where the split needs one."""
    if not needs_times(split, raw.interactions):
        return raw
    return replace(raw, interactions=raw.interactions[raw.interactions["timestamp"].notna()])


def _cleaning(raw: RawData, least: float | None, reasons: list[str]) -> dict[str, Any]:
    """The largest core that keeps at least half of the positive interactions."""
    rules: dict[str, Any] = {} if least is None else {"min_rating": least}
    if "part" in raw.interactions:
        reasons.append("k_core: none, since the data come with a split that was made for all of them")
        return {**rules, "k_core": 0}
    for core in CORES:
        try:
            steps = clean(raw, CleaningRules.model_validate(rules | {"k_core": core})).steps
        except UserError:
            continue
        positive = steps["read"] - steps["duplicates"] - steps["min_rating"]
        left = positive - steps["k_core"]
        if left >= KEPT * positive:
            liked = "" if least is None else f" with a rating of {least:g} or more"
            reasons.append(f"k_core: {core}, which keeps {left:,} of the {positive:,} interactions{liked}")
            return {**rules, "k_core": core}
    reasons.append("k_core: none, since even 2 would leave out more than half of the interactions")
    return {**rules, "k_core": 0}


def _protocol(raw: RawData, given: str | None, reasons: list[str]) -> str:
    """The split that the user named; else by time, where most people's interactions have an order."""
    timed = "timestamp" in raw.interactions
    if given is not None:
        if given in ("temporal", "global_time") and not timed:
            raise UserError(
                f"--split {given} needs a column of times, and none was found; name it with --time-column, or leave "
                "--split out"
            )
        reasons.append(f"split: {given}, as you said")
        if given != "ratio" and timed:
            reasons += [*_without_time(raw), *_at_one_time(raw)]
        return given
    if "part" in raw.interactions:
        missing = [part for part in PARTS if not (raw.interactions["part"] == part).any()]
        if not missing:
            reasons.append("split: fixed, by the data's own labels; --split ratio draws a new one")
            return "fixed"
        reasons.append(f"! the data come with a split that has no part for {', '.join(missing)}, so a new one is made")
    if not timed:
        drawn = "a tenth of each person's interactions drawn at random"
        reasons.append(f"split: ratio, {drawn}, since no column is taken as the time")
        return "ratio"
    ordered = float((raw.interactions.groupby("user_id")["timestamp"].nunique() > 1).mean())
    if ordered >= TIMED:
        reasons.append(
            "split: temporal, so that each person's last interactions are predicted from the earlier ones; "
            "--split ratio draws them at random"
        )
        reasons += [*_without_time(raw), *_at_one_time(raw)]
        return "temporal"
    few = f"only {whole_percent(ordered)} of the people have" if ordered else "nobody has"
    reasons.append(f"! split: ratio, at random, since {few} interactions at more than one time")
    return "ratio"


def _without_time(raw: RawData) -> list[str]:
    """A line on the rows that a split by time leaves out."""
    times = raw.interactions["timestamp"]
    if not (missing := int(times.isna().sum())):
        return []
    left_out = f"{missing:,} of {len(times):,} rows have none that can be read, and the split leaves them out"
    return [f"{sign(missing, len(times))}time: {left_out}"]


def _at_one_time(raw: RawData) -> list[str]:
    """A line where most people have most of their interactions at one time, so that none of these is the last."""
    at_once = raw.interactions.groupby(["user_id", "timestamp"]).size()
    of_person = at_once.groupby("user_id")
    several = of_person.sum() > 1
    mostly = float((2 * of_person.max() > of_person.sum())[several].mean()) if several.any() else 0.0
    if mostly <= TIMED:
        return []
    return [
        f"! time: {whole_percent(mostly)} of the people have more than half of their interactions at one time; which "
        "of these came last is not known and is drawn at random"
    ]


def _content(source: DataSource, reasons: list[str]) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Sources of content, and what of an item there is to see."""
    items, content = source.raw.items, dict(source.features)
    there = [column for column in ("title", "text") if items[column].notna().any()]
    if there and "text" not in content:
        text = {"encoder": "tfidf_svd", "fields": there, "dim": DIM}
        if why := _unreadable(text, items):
            reasons.append(f"! text: not used as content, since it has {why}")
        else:
            content["text"] = text
    pictures = int(items["image_path"].notna().sum())
    if pictures and "image" not in content:
        content["image"] = {"encoder": "visual_descriptors", "dim": DIM}
        said, several = f"images: {pictures:,} of {len(items):,} items have a picture", pictures_note(items)
        reasons.append(f"{said} that can be read" + (f", {several} in all" if several else ""))
    if not content:
        reasons.append("! content: none found, so the study compares models but can give no verdict on content")
    return content, (*there[:1], *(["image"] if pictures else []))


def _unreadable(text: dict[str, Any], items: pd.DataFrame) -> str:
    """Why an encoder can make nothing of the items' text; empty where it can."""
    encoder = registry.load(text["encoder"]).from_options(text["encoder"], {"fields": text["fields"]})
    try:
        encoder.contents(items, Context())
    except UserError as error:
        return str(error).partition(": ")[2].partition(";")[0]
    return ""


def _dates(raw: RawData) -> str:
    if "timestamp" not in raw.interactions:
        return ""
    times = raw.interactions["timestamp"].dropna()
    years = (times.min().year, times.max().year) if len(times) else (0, 0)
    if years[0] < pd.Timestamp(OURS).year:
        return ""
    return str(years[0]) if years[0] == years[1] else f"{years[0]} to {years[1]}"
