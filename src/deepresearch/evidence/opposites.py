"""Words that say the opposite of one another, by the axis on which they do, in the forms that texts use.

Only words whose opposite changes what a sentence says whatever stands beside it: ``rose`` and ``fell``, not
``old`` and ``new``.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.evidence.words import word_set

_AXES: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (word_set(one), word_set(other))
    for one, other in (
        (
            """rise rises rising rose risen raise raises raised raising increase increases increased increasing grow
            grows growing grew grown growth climb climbs climbed climbing up upward surge surged surges soar soared jumped
            gain gained gains expand expanded expands expanding strengthened doubled tripled
            stieg stiegen steigt steigen gestiegen anstieg erhöht erhöhte erhöhten wuchs wuchsen wächst gewachsen
            zunahm zugenommen zunahme augmente augmenté augmentation hausse croissance croît aumenta aumentó aumentado
            aumento creció crecido crecimiento aumentato crescita cresciuto steeg gestegen toegenomen""",
            """fall falls falling fell fallen down downward decrease decreases decreased decreasing decline declines declined
            declining drop drops dropped dropping shrink shrinks shrank shrunk shrinking reduce reduces reduced
            reducing reduction sink sinks sank sunk plunged plummeted slumped contracted contracts weakened halved
            lowered fiel fielen fällt fallen gefallen sank sanken sinkt sinken gesunken rückgang verringert
            verringerte abnahm abgenommen abnahme schrumpfte geschrumpft gesenkt senkte diminue diminué diminution
            baisse baissé recul disminuye disminuyó disminuido disminución cayó caído bajó reducción diminuito
            diminuzione calo calato daalde gedaald afgenomen""",
        ),
        (
            "high higher greater large larger big bigger highest greatest largest biggest höher größer höchste höchsten größte größten",
            "low lower small smaller lowest smallest niedriger kleiner geringer niedrigste niedrigsten kleinste kleinsten",
        ),
        ("more most mehr", "less least fewer fewest little few weniger"),
        ("faster quicker fastest schneller schnellste", "slower slowest langsamer langsamste"),
        ("better best besser beste besten improve improves improved improving improvement verbessert",
         "worse worst worsen worsens worsened deteriorate deteriorated schlechter schlechteste verschlechtert"),
        ("above over exceed exceeds exceeded exceeding über oberhalb", "below under unter unterhalb"),
        ("before vor", "after nach"),
        ("earlier früher", "later später"),
        ("warmer hotter wärmer heißer", "colder cooler kälter kühler"),
        ("stronger stärker", "weaker schwächer"),
        ("longer longest länger längste", "shorter shortest kürzer kürzeste"),
        ("maximum maximal höchstens", "minimum minimal mindestens"),
        ("accept accepts accepted accepting approve approves approved approving approval agreed adopted granted angenommen genehmigt",
         "reject rejects rejected rejecting rejection refuse refuses refused denied vetoed abgelehnt verworfen"),
        ("allow allows allowed allowing permit permits permitted legalised legalized erlaubt",
         "forbid forbids forbidden forbade prohibit prohibits prohibited ban bans banned outlawed verboten"),
        ("support supports supported supporting favoured favored endorsed",
         "oppose opposes opposed opposing"),
        ("include includes included including", "exclude excludes excluded excluding"),
        ("buy buys bought buying purchase purchased purchases", "sell sells sold selling sale"),
        ("import imports imported importing", "export exports exported exporting"),
        ("win wins won winning gewann gewonnen", "lose loses lost losing verlor verloren"),
        ("success succeed succeeds succeeded successful successfully", "failure fail fails failed unsuccessful"),
        ("profit profits profitable", "loss losses unprofitable"),
        ("positive positively positiv", "negative negatively negativ"),
        ("effective wirksam", "ineffective unwirksam"),
        ("safe sicher", "unsafe dangerous unsicher gefährlich"),
        ("legal lawful", "illegal unlawful"),
        ("possible möglich", "impossible unmöglich"),
        ("true", "false untrue"),
        ("older oldest älter", "newer newest younger youngest neuer jünger"),
        ("cheaper cheapest billiger", "dearer costlier costliest teurer"),
        ("first", "last"),
        ("surplus überschuss", "deficit defizit"),
        ("mandatory compulsory required", "optional voluntary"),
        ("with", "without"),
        ("always immer", "never nie niemals"),
        ("all every", "none"),
        ("cause causes caused causing verursacht", "prevent prevents prevented preventing verhindert"),
        ("open opens opened opening eröffnet", "close closes closed closing closure shut geschlossen"),
        ("begin begins began begun start starts started beginning beginnt begann",
         "end ends ended ending stop stops stopped ceased finished endet endete"),
        ("hire hires hired recruited", "dismiss dismissed fired sacked"),
        ("north northern nord nördlich", "south southern süd südlich"),
        ("east eastern ost östlich", "west western westlich"),
        ("left links", "right rechts"),
        ("male men man boys männlich", "female women woman girls weiblich"),
    )
)  # fmt: skip
#: The first axis: rise and fall.
_DIRECTION = 0
_SIDES: dict[str, list[tuple[int, int]]] = {}
for _number, _axis in enumerate(_AXES):
    for _side, _listed in enumerate(_axis):
        for _word in _listed:
            _SIDES.setdefault(_word, []).append((_number, _side))


def opposite_words(claim: Sequence[str], sentence: Sequence[str]) -> tuple[str, str] | None:
    """A word of the claim whose opposite stands in the sentence instead of it, and that opposite.

    Both are given as words in lower case. Where one speaks of an axis more often than the other, and one of them of
    both of its sides, nothing can be said.
    """
    ours, theirs = _by_axis(claim), _by_axis(sentence)
    for axis, sides in sorted(ours.items()):
        others = theirs.get(axis, ([], []))
        one_sided = [not all(spoken) for spoken in (sides, others)]
        same_number = sum(map(len, sides)) == sum(map(len, others))
        if not all(one_sided) and not same_number:
            continue
        for side in (0, 1):
            if len(sides[side]) > len(others[side]) and len(others[1 - side]) > len(sides[1 - side]):
                return sides[side][0], others[1 - side][0]
    return None


def directions(words: Sequence[str]) -> tuple[bool, bool]:
    """Whether words in lower case speak of a rise, and whether of a fall."""
    rises, falls = _by_axis(words).get(_DIRECTION, ([], []))
    return bool(rises), bool(falls)


def _by_axis(words: Sequence[str]) -> dict[int, tuple[list[str], list[str]]]:
    """For each axis the words on each of its sides."""
    found: dict[int, tuple[list[str], list[str]]] = {}
    for word in words:
        for axis, side in _SIDES.get(word, ()):
            found.setdefault(axis, ([], []))[side].append(word)
    return found
