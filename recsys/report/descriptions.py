"""What a report says of where content comes from: which models made it, and how far answers keep to what was asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from recsys.analyses.base import Table
from recsys.content import provenance
from recsys.wording import percent


def provenance_table(facts: Mapping[str, Any]) -> Table:
    """Model, revision, prompt and library versions of a corpus, and what came of the asking."""
    return _recorded(
        "Where the descriptions come from",
        "What the model was, what it was asked, and what came of it.",
        [*provenance.lines(facts["provenance"]), *outcome(facts).items()],
    )


def vectors_table(source: str, facts: Mapping[str, Any]) -> Table:
    """Encoder, weights and library versions of a source's vectors."""
    return _recorded(
        f"Where the vectors of {source} come from",
        "The encoder, its options, and what else they depend on.",
        provenance.lines(facts["provenance"]),
    )


def _recorded(title: str, caption: str, lines: Sequence[tuple[str, str]]) -> Table:
    # Words and numbers stand one below the other, so that both columns are set as names are.
    return Table(
        title=title, caption=caption, columns=["", "recorded"], rows=[list(line) for line in lines], n_names=2
    )


def outcome(facts: Mapping[str, Any]) -> dict[str, str]:
    """What came of the asking, in words, by what is counted; counts of nothing are left out."""
    counts = {
        "items described": facts.get("about_known_items", 0),
        "refused": facts.get("refused", 0),
        "cut off at `max_new_tokens`": facts.get("cut_off", 0),
        "pictures shown": facts.get("pictures", 0),
        "pictures that could not be read": facts.get("unreadable_images", 0),
        "tokens of the answers": facts.get("tokens", 0),
    }
    said = {what: f"{n:,}" for what, n in counts.items() if n}
    if any(name.startswith("gives ") for name in facts):
        said["answers that give every field"] = percent(facts["complete"])
    reasons = [f"{reason} ({n:,})" for reason, n in facts.get("refusals", {}).items()]
    return said | ({"why refused": "; ".join(reasons)} if reasons else {})


def description_limits(corpora: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One sentence for each corpus that is not whole."""
    found = []
    for corpus, facts in corpora.items():
        lost = [
            f"{facts[name]:,} {words}"
            for name, words in (("refused", "items were refused"), ("cut_off", "answers were cut off"))
            if facts.get(name)
        ]
        found += [f"Descriptions `{corpus}`: {' and '.join(lost)}."] if lost else []
        found += [f"Descriptions `{corpus}`: {line}." for line in facts.get("provenance", {}).get("adapted", [])]
    return found
