"""Why a claim got its verdict, and what would change it.

An explanation holds everything the verdict was made of: the sentences of evidence that carry the claim and
where the claim's words stand in them, the features with what each gives to the score, the distance to the
next band, and the words and numbers whose presence would lift the claim to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepresearch.evidence import support_model as model
from deepresearch.evidence import words
from deepresearch.evidence.features import Measured, measure
from deepresearch.evidence.support import as_sentences, band, probabilities, verdict
from deepresearch.model.base import Value
from deepresearch.model.evidence import Support, SupportCheck


class CarryingSentence(Value):
    """A sentence of evidence, where words of the claim stand in it, and the words it adds to the ones before."""

    text: str
    shared: tuple[tuple[int, int], ...]
    adds: tuple[str, ...]


class Explanation(Value):
    """The verdict on a claim taken apart.

    `contributions` are what each feature gives to the log-odds of full support, the intercept among them;
    they add up to the logit of the model's estimate. `to_next_band` is how much the score lacks for
    `supported` (0 when it is). `would_change` says in sentences what would change the verdict.
    """

    check: SupportCheck
    sentences: tuple[CarryingSentence, ...]
    contributions: dict[str, float]
    to_next_band: float
    would_change: tuple[str, ...]


def explain_support(claim: str, evidence: Sequence[str]) -> Explanation:
    """The same verdict as `check_support`, with its reasons."""
    sentences = as_sentences(evidence)
    if not sentences or not words.words(claim):
        check = SupportCheck(support=Support.UNSUPPORTED, score=0.0, features={}, missing=())
        reason = "There is no evidence to compare with." if not sentences else "The claim holds no words."
        return Explanation(check=check, sentences=(), contributions={}, to_next_band=1.0, would_change=(reason,))
    language = words.language_of(claim)
    measured = measure(claim, sentences, language)
    check = verdict(claim, sentences, measured)
    wanted = frozenset(words.content_stems(claim, language))
    carrying = tuple(
        CarryingSentence(
            text=sentences[index],
            shared=tuple(
                (span.start, span.end)
                for span in words.word_spans(sentences[index])
                if words.stem(span.text.lower(), language) in wanted
            ),
            adds=_as_written(sentences[index], added, language),
        )
        for index, added in zip(measured.best, measured.covered, strict=True)
    )
    contributions = {
        name: weight * measured.features[name] for name, weight in model.WHOLE.items() if name != "intercept"
    }
    contributions["intercept"] = model.WHOLE["intercept"]
    return Explanation(
        check=check,
        sentences=carrying,
        contributions={name: round(value, 4) for name, value in contributions.items()},
        to_next_band=round(max(0.0, model.SUPPORTED_FROM - check.score), 4),
        would_change=tuple(_changes(check, measured)),
    )


def _as_written(sentence: str, stems: frozenset[str], language: str) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for span in words.word_spans(sentence):
        stem = words.stem(span.text.lower(), language)
        if stem in stems:
            seen.setdefault(stem, span.text)
    return tuple(seen.values())


def _changes(check: SupportCheck, measured: Measured) -> list[str]:
    missing_words, missing_numbers = measured.missing_words, measured.missing_numbers
    said: list[str] = []
    if check.features.get("verbatim"):
        return ["The claim stands in the evidence word for word; only another text of the evidence would change this."]
    if missing_numbers:
        said.append(
            f"The evidence lacks {_quoted(missing_numbers)}; "
            "a claim with a number that is not there is never supported."
        )
    elif check.features["numbers_astray"]:
        said.append("A number of the claim stands only in other parts of the evidence; that bars full support.")
    elif check.features["numbers_disputed"]:
        said.append("The sentence that carries the claim has another number in this place; that bars full support.")
    elif measured.turned.is_turned:
        return [f"{measured.turned}; that bars full support."]
    elif check.features["negation_differs"] and check.features["coverage_best"] > 0.75:
        said.append("Claim and evidence share their words, but only one of them denies; that bars full support.")
    if check.support is Support.SUPPORTED:
        if missing_words:
            said.append(f"The evidence lacks {_quoted(missing_words)}, too little to outweigh what it holds.")
        said.append("Losing a number that the evidence now holds would end the support.")
        return said
    if missing_words:
        lifted = _without_missing(check.features)
        reached = band(*probabilities(lifted)) if not missing_numbers else None
        effect = " With them the claim would be supported." if reached is Support.SUPPORTED else ""
        said.append(f"The evidence lacks the {_plural(missing_words)} {_quoted(missing_words)}.{effect}")
    elif not said:
        said.append(
            "All words of the claim are in the evidence, but too far apart: no few sentences hold them together."
        )
    return said


def _without_missing(features: dict[str, float]) -> dict[str, float]:
    """The features as they would be if one more sentence of evidence held all that is missing."""
    gain = 1.0 - features["coverage"]
    best = min(1.0, features["coverage_pair"] + gain)
    return {
        **features,
        "coverage": 1.0,
        "coverage_pair": best,
        "coverage_three": min(1.0, features["coverage_three"] + gain),
        "heaviest_missing": 0.0,
        "weight_missing": 0.0,
        "names_missing": 0.0,
        "log_evidence_length": math.log1p(math.expm1(features["log_evidence_length"]) + 1),
    }


def _quoted(items: Sequence[str]) -> str:
    shown = [f"“{item}”" for item in items[:6]] + ([f"{len(items) - 6} more"] if len(items) > 6 else [])
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def _plural(items: Sequence[str]) -> str:
    return "word" if len(items) == 1 else "words"
