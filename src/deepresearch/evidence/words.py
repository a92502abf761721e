"""Words as this room counts them: tokens, stems, stop words, sentences.

Everything here is deterministic and needs no data beyond the package. Stems are Snowball's; the language of a
text is guessed from its most frequent small words, English when nothing speaks for another.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
# The same for lower-case ASCII, a third faster: whole pages go through it.
_ASCII_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+(?:[.,]\d+)*")
_SCRIPT_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def word_set(listed: str) -> frozenset[str]:
    """The words of a list written with white space between them."""
    return frozenset(listed.split())


_STOP_WORDS: dict[str, frozenset[str]] = {
    "english": word_set("""
        a about above after again against all also am an and any are as at be because been before being below
        between both but by can could did do does doing down during each few for from further had has have
        having he her here hers herself him himself his how i if in into is it its itself just may me might
        more most must my myself nor now of off on once only or other our ours ourselves out over own same
        shall she should so some such than that the their theirs them themselves then there these they this
        those through to too under until up upon very was we were what when where which while who whom why
        will with would you your yours yourself yourselves one's 's it's"""),
    "german": word_set("""
        aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei bin bis bist
        da damit dann das dass dasselbe dazu dein deine dem den denn der des dessen die dies diese diesem
        diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas euch euer für
        gegen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer
        im in indem ins ist jede jedem jeden jeder jedes jene jetzt kann können könnte machen man manche
        mein meine mich mir mit muss musste nach noch nun nur ob oder ohne sehr sein seine seinem seinen
        seiner sich sie sind so solche soll sollte sondern über um und uns unser unter viel vom von vor war
        waren was weil welche welcher wenn werde werden wie wieder will wir wird wirst wo wurde wurden würde
        zu zum zur zwar zwischen"""),
    "french": word_set("""
        à au aux avec ce ces cet cette dans de des du elle elles en entre est et été être eu eux il ils je l
        la le les leur leurs lui ma mais me même mes moi mon n ne nos notre nous on ont ou où par pas pour
        qu que qui s sa sans se ses si son sont sur ta te tes toi ton tu un une vos votre vous y c d j était
        avait a ainsi comme plus"""),
    "spanish": word_set("""
        a al ante como con contra cual cuando de del desde donde durante e el ella ellas ellos en entre era
        es esa ese eso esta este esto fue ha han hasta hay la las le les lo los más me mi muy nos o otra
        otro para pero por porque que quien se ser si sin sobre son su sus también te tiene todo tu un una
        uno y ya"""),
    "italian": word_set("""
        a ad al alla alle anche che chi ci come con da dai dal dalla degli dei del della delle di e è ed era
        essere fu gli ha hanno i il in io la le lo loro ma mi ne nei nel nella non o per più quale quando
        quello questa questo se si sono su sua suo tra un una uno"""),
    "dutch": word_set("""
        aan al als bij dan dat de der die dit door een en er had heeft hem het hij hoe hun ik in is ja je
        kan maar met mijn na naar niet nog of om omdat onder ons ook op over te tegen toch toen tot u uit uw
        van veel voor want waren was wat we wel werd wezen wie wij wil worden ze zich zij zijn zo zonder
        zou"""),
    "portuguese": word_set("""
        a ao aos as até com como da das de dela dele do dos e ela ele em entre era essa esse esta este eu
        foi há isso isto já lhe mais mas me mesmo meu minha muito na nas no nos não o os ou para pela pelo
        por qual quando que quem se sem ser seu sua são também te tem um uma você"""),
    "swedish": word_set("""
        alla att av blev bli den det där de dem en er ett från för ha hade han hans har hon i inte jag kan
        man med men mot mycket när nu något och om på sig sin som så till under upp ut vad var vara vi är
        över"""),
}

# Words that belong to one of these languages far more often than to another, for the guess.
_ENGLISH_SIGNS = word_set("the of and to is was were with that for by from are has have which on at")
_SIGNS: dict[str, frozenset[str]] = {
    "german": word_set("der die das und ist nicht von den mit dem für ein eine im auf werden wurde sich zu des"),
    "french": word_set("le la les et est des une du dans que qui pour sur au par avec aux été ne pas"),
    "spanish": word_set("el los las y es una del por con para que se su como más fue en la"),
    "italian": word_set("il gli e è una di che del della per con nel sono non alla dei"),
    "dutch": word_set("het een en van is op te dat voor met zijn niet aan er door werd de"),
    "portuguese": word_set("o os as e é uma do da em não para com que dos por foi ao"),
    "swedish": word_set("och att det som en är av för på med till den inte ett"),
}

NEGATIONS = word_set("""
    no not never none nobody nothing neither nor without cannot can't won't isn't aren't wasn't weren't
    don't doesn't didn't hasn't haven't hadn't couldn't wouldn't shouldn't n't kein keine keinen keiner
    keinem nicht nie niemals ohne ne pas jamais aucun aucune nunca jamás ningún ninguna sin non mai niet
    geen inte aldrig não""")

_stems: dict[tuple[str, str], str] = {}
_local = threading.local()


class Span(NamedTuple):
    """A piece of a text and its place, half-open."""

    text: str
    start: int
    end: int


def words(text: str) -> list[str]:
    """Lower-case tokens in order: runs of letters, and numbers kept whole (``1,234.5``).

    Scripts written without spaces give overlapping pairs of characters, so that they can be compared at all.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    found: list[str] = _WORD.findall(text.lower())
    if _SCRIPT_WITHOUT_SPACES.search(text):
        return [piece for word in found for piece in _pairs(word)]
    return found


def negates(text: str) -> int:
    """How many words of a text deny something."""
    return sum(word in NEGATIONS or word.endswith(("n't", "n’t")) for word in words(text))


def word_spans(text: str) -> list[Span]:
    """The tokens of `words` as they stand in the text, with their places."""
    return [Span(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def _pairs(word: str) -> Iterator[str]:
    if not _SCRIPT_WITHOUT_SPACES.search(word) or len(word) < 3:
        yield word
        return
    for index in range(len(word) - 1):
        yield word[index : index + 2]


def stem(word: str, language: str = "english") -> str:
    """The Snowball stem of a lower-case word; numbers and words of other scripts come back unchanged."""
    key = (language, word)
    known = _stems.get(key)
    if known is None:
        if len(_stems) > 400_000:  # a bound for long-lived servers; refilling costs microseconds a word
            _stems.clear()
        plain = word.replace("’", "'")
        if plain.endswith("'s"):
            plain = plain[:-2]
        known = plain if plain[:1].isdigit() else _stemmer(language).stemWord(plain)
        _stems[key] = known
    return known


class _Stemmer:
    """What is used of Snowball's stemmer, typed."""

    def __init__(self, language: str) -> None:
        import Stemmer  # loaded on first use: importing this room stays cheap

        self._stemmer = Stemmer.Stemmer(language)

    def stemWord(self, word: str) -> str:  # noqa: N802
        """The stem of one word."""
        return str(self._stemmer.stemWord(word))


def _stemmer(language: str) -> _Stemmer:
    """One stemmer for each thread and language: Snowball's objects must not be shared between threads."""
    stemmers: dict[str, _Stemmer] | None = getattr(_local, "stemmers", None)
    if stemmers is None:
        stemmers = {}
        _local.stemmers = stemmers
    if language not in stemmers:
        stemmers[language] = _Stemmer(language)
    return stemmers[language]


@lru_cache(maxsize=4096)
def language_of(text: str) -> str:
    """The likely language of a text as Snowball names it, from its small words; ``english`` when in doubt."""
    found = set(_WORD.findall(text[:2000].lower()))
    best, most = "english", len(found & _ENGLISH_SIGNS)
    for language, signs in _SIGNS.items():
        count = len(found & signs)
        if count > most:
            best, most = language, count
    return best


def stop_words(language: str) -> frozenset[str]:
    """The small words of a language that carry no content."""
    return _STOP_WORDS.get(language, _STOP_WORDS["english"])


class _ContentStems(dict[str, str]):
    """Words to their stems, stop words to nothing; filled as words are met, so that a known word costs one look-up."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language
        self._ignored = stop_words(language)

    def __missing__(self, word: str) -> str:
        if len(self) > 400_000:  # a bound for long-lived servers; refilling costs microseconds a word
            self.clear()
        found = "" if word in self._ignored else stem(word, self._language)
        self[word] = found
        return found


@lru_cache(maxsize=16)
def _content_stems(language: str) -> _ContentStems:
    return _ContentStems(language)


def content_stems(text: str, language: str | None = None) -> list[str]:
    """Stems of the content words and the numbers of a text, in order, with repetitions."""
    table = _content_stems(language or language_of(text))
    return [found for word in words(text) if (found := table[word])]


_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|Nr|vs|etc|cf|e\.g|i\.e|z\.B|d\.h|ca|approx|Inc|Ltd|Co|Corp|"
    "Fig|Abb|Tab|Vol|pp|p|Art|Abs"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|Mio|Mrd|Tsd|[A-Z]))\.$"
)
_BREAK = re.compile(
    r"(?<=[.!?。！？])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\W_a-zà-ÿ])|(?<=[。！？])|\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)])\s)"
)


def sentences(text: str) -> list[Span]:
    """Sentences with their places, by simple rules: for evidence given as one text, not for loading documents."""
    result: list[Span] = []
    start = 0
    for match in _BREAK.finditer(text):
        piece = text[start : match.start()]
        if not piece.strip():
            start = match.end()
            continue
        if match.group().isspace() and "\n" not in match.group() and _ABBREVIATION.search(piece.rstrip()):
            continue
        result.append(_trimmed(text, start, match.start()))
        start = match.end()
    if text[start:].strip():
        result.append(_trimmed(text, start, len(text)))
    return result


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(text[start:end], start, end)


def bigrams(stems: Sequence[str]) -> set[tuple[str, str]]:
    """Neighbouring pairs."""
    return set(pairwise(stems))
