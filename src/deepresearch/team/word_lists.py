"""Words that matter to the planner and the reader only by what they do not say."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that shape a question without saying what it is about.
QUESTION_WORDS = _set(
    """
    what when where who whom whose which why how many much long far old large big high do does did done is are was were
    be been being has have had can could should would will may might must please tell me give us show explain describe
    list name find say says said according document documents source sources report reports the a an of in on at to
    for from by with and or but if than then there this that these those it its they their he she his her our your my
    we you i as about into over under between during since until per each any all some no not only also more most less
    least very so such same other another both either neither
    """
)

#: Words that say how values move, not whose values they are.
TREND_WORDS = _set(
    """
    trend trends change changed changes changing develop developed development evolve evolved evolution grow grew
    grown growth growing increase increased increasing decrease decreased decreasing decline declined fall fell fallen
    rise rose risen drop dropped shrink shrank shrunk year years yearly annual annually time times period periods past
    last recent recently far course total average mean sum number amount percent percentage figure figures value values
    level levels highest lowest largest smallest maximum minimum peak compare compared comparison versus difference
    differ ratio overall
    """
)

#: Words that say little by themselves: a document that lacks them may answer all the same.
LIGHT_WORDS = _set(
    """
    carry hold take make get use need belong contain include provide serve offer work run go come stay become cut want
    keep put set happen cause affect involve concern exist cost mv ms mr mrs dr company organisation fall rise increase
    decrease change
    """
)

#: Words that tell more about what is done with a value, or when, than which value of a table it is.
CELL_WORDS = _set(
    """
    increased decreased net company group entity firm respectively respective end ended ending year-end fiscal financial
    twelve months month as-of table reported respect was were percent per cent proportion share average mean sum total
    combined constitution out both and of in the january february march april may june july august september october
    november december annual quarter date data item items category
    """
)

#: Words without any content of their own, in the name of a row as well.
FUNCTION_WORDS = _set(
    """
    the a an of in on at to for from by with and or if than then there this that these those it its as into per is are
    was were be been being has have had do does did what which how much many who our their we
    """
)

#: Stems of the words in a heading that only say when, or in what state a figure is given.
TIME_STEMS = _set(
    """
    januari februari march april may june juli august septemb octob novemb decemb jan feb mar apr jun jul aug sep sept
    oct nov dec fiscal year end month restat audit unaudit
    """
)
