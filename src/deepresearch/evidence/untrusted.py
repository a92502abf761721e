"""Text that addresses a language model instead of its reader.

A document is data. Sentences found here change nothing anywhere: they are never chosen as claims, and the
limits of the report list them. The patterns want an instruction *to* a model (an order in the second
person, a role tag, a forged message, a request to send something away), not prose *about* models: a
handbook on prompt injection may explain it, in the third person or in quotation marks.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple


class Address(NamedTuple):
    """A stretch of text that addresses a model, and why it is thought to. `text == source[start:end]`."""

    start: int
    end: int
    text: str
    reason: str


_INSTRUCTIONS = (
    "(?:instructions?|prompts?|directions?|directives?|guidelines?|rules|context|messages?|"
    "commands?|training|programming|guardrails|constraints|orders)"
)
_EARLIER = (
    "(?:previous|prior|above|preceding|earlier|foregoing|existing|original|former|initial|system|"
    "developer|safety|current|your|other|these|those)"
)
_MODEL = (
    "(?:AI(?:[- ](?:assistant|model|agent|system|language model))?|language model|LLM|chat ?bot|"
    r"assistant|ChatGPT|GPT(?:-\d\w*)?|Claude|Gemini|Copilot|Llama|agent|summari[sz]er|model)"
)
_YOUR_ANSWER = r"(?:your|the) (?:final )?(?:answer|response|summary|report|output|reply|conclusion|review|evaluation)"

_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "asks to ignore instructions",
        r"\b(?:ignore|disregard|forget|override|bypass|discard|neglect|do not (?:follow|obey)|don't "
        r"(?:follow|obey)|stop following)\s+"
        "(?:(?:all|any|everything|each|every|of|the|your|my|and|or|all of|in|have been|"
        rf"{_EARLIER})[\s,]+){{1,6}}(?:\w+\s+){{0,2}}{_INSTRUCTIONS}\b",
    ),
    (
        "asks to ignore instructions",
        r"\b(?:ignore|disregard|forget) (?:everything|all(?: that)?|anything) (?:(?:you (?:were|have "
        r"been|know)|said|written|stated|that (?:was|came)|that has been|i said)\b.{0,30}|(?:above|"
        r"before(?: this)?|previously)\b)",
    ),
    (
        "asks to ignore instructions",
        r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\s+(?:sie\s+)?(?:(?:bitte|alle|"
        "sämtliche|die|deine|ihre|bisherigen?|vorherigen?|obigen?|vorigen?|früheren?|"
        r"vorangegangenen?)\s+){1,4}(?:anweisung\w*|instruktion\w*|regeln|vorgaben|befehle|prompts?|"
        r"aufforderung\w*)",
    ),
    (
        "asks to ignore instructions",
        r"\b(?:ignore[zr]?|oublie[zr]?|ne tiens pas compte de|ne tenez pas compte de)\s+(?:(?:toutes?|"
        r"tous|les|des|vos|tes|ces)\s+){1,3}(?:(?:précédentes?|antérieures?)\s+)?(?:instructions?|"
        "consignes?|règles|directives)",
    ),
    (
        "asks to ignore instructions",
        r"\b(?:ignor[ae]|olvid[ae]|descart[ae]|esquece|esqueça|dimentica|ignori)n?\s+(?:(?:todas?|"
        r"todos|las|los|as|os|tus|sus|suas|tutte|le|tutti|gli)\s+){1,3}(?:(?:anteriores|previas|"
        r"precedenti)\s+)?(?:instrucciones|instruções|istruzioni|órdenes|reglas|regras|indicaciones|"
        "regole)",
    ),
    (
        "asks to ignore instructions",
        r"\bnegeer\s+(?:(?:alle|de|uw|je|eerdere|vorige|bovenstaande)\s+){1,4}(?:instructies|"
        "opdrachten|regels)",
    ),
    (
        "asks to ignore instructions",
        r"(?:忽略|无视|忘记|請忽略|请忽略).{0,8}(?:指令|指示|提示|说明|規則|规则)|(?:игнорируй\w*|"
        r"забудь\w*)\s+(?:\w+\s+){0,3}(?:инструкци\w+|указани\w+|правила)|(?:以前|上記|これまで|"
        "前)の.{0,6}(?:指示|命令|指令|プロンプト)を?.{0,4}(?:無視|忘れ)",
    ),
    (
        "forged role or message tag",
        r"<\|?/?(?:im_start|im_end|system|assistant|endoftext|start_header_id|eot_id)\|?>|\[/?INST\]|"
        r"<</?SYS>>|<\|(?:user|assistant|system)\|>|^\s*#{2,}\s*(?:system|assistant)\s*(?:prompt|"
        r"message|instruction)?s?\s*:?\s*$|</?(?:system[-_ ]?(?:prompt|message|reminder|"
        "instructions?)|tool_(?:call|result|response)|function_calls?|assistant_(?:message|"
        r"response))\b[^>\n]{0,80}>",
    ),
    (
        "forged role or message tag",
        r"^\s*(?:\*\*)?(?:SYSTEM|ASSISTANT|DEVELOPER)(?:\*\*)?\s*(?:PROMPT|MESSAGE|NOTE|OVERRIDE|"
        r"INSTRUCTIONS?)?\s*:\s*(?=you|ignore|disregard|from now|do not|always|never|the user|reply|"
        "respond|act|forget|new|please)",
    ),
    (
        "speaks to a model by name",
        r"\b(?:dear|hey|hello|attention|note to|notice to|message (?:to|for)|instructions? (?:to|for)|"
        "important (?:note|message|instruction)s? (?:to|for)|reminder for|to (?:the|any|all|"
        r"whichever)|to)\s+(?:the |any |all |every |whichever |whatever "
        rf")?(?:{_MODEL})s?\b\s*(?:reading|processing|summari[sz]ing|analy[sz]ing|reviewing|parsing|"
        r"that (?:is |are )?(?:read|process|summari)\w*|who (?:reads?|process))",
    ),
    (
        "speaks to a model by name",
        r"\b(?:attention|note to|notice to|message (?:to|for)|hidden (?:note|instruction)s? (?:to|"
        r"for)|reminder for)\s*[:,]?\s*(?:the |any |all |every )?(?:AI(?:[- ](?:assistant|model|"
        "agent)s?)?|language models?|LLMs?|chat ?bots?|automated (?:assistant|reader|"
        r"system)s?)\b\s*[:,.!–-]",
    ),
    (
        "speaks to a model by name",
        r"\b(?:if|when|since|because) you are (?:an? |the "
        rf")?(?:{_MODEL.replace('|agent', '').replace('|model)', ')')}|large language model)\b",
    ),
    (
        "gives a model a new role",
        r"\byou are (?:now|no longer|henceforth)\s+(?:an?|the|in|called|named|free|bound|operating|"
        r"acting|DAN)\b[^.\n]{0,60}\b(?:AI|assistant|model|mode|chatbot|bot|DAN|unrestricted|"
        r"jailbr\w+|restrictions?|rules|instructions|filters?|administrator|agent|developer)\b",
    ),
    (
        "gives a model a new role",
        r"\b(?:from now on|henceforth|starting now|for the rest of (?:this|the) (?:conversation|"
        r"session|chat))\s*,?\s*(?:you (?:will|must|shall|are|should|only)|always (?:answer|respond|"
        r"reply|say|output)|respond|reply|answer|act as)\b",
    ),
    (
        "gives a model a new role",
        r"\b(?:act|behave|respond|pretend|roleplay|role-play) as (?:if you (?:are|were) )?(?:an? |the "
        ")?(?:unrestricted|uncensored|jailbroken|evil|different|DAN|AI|language model|system "
        r"administrator|root|developer mode)\b",
    ),
    (
        "gives a model a new role",
        r"\b(?:enter|enable|activate|switch to|you are in)\s+(?:developer|debug|god|"
        r"admin(?:istrator)?|maintenance|jailbreak|DAN|unrestricted)[ -]mode\b",
    ),
    (
        "dictates the answer",
        r"\b(?:in|as|to|at the end of|at the (?:start|beginning) of|into|within) "
        rf"{_YOUR_ANSWER}\s*,?\s*(?:you (?:must|should|shall|will)|always|only|please|do not|never|"
        r"include|write|say|state|add|mention|insert|append|output|recommend|claim)\b",
    ),
    (
        "dictates the answer",
        r"\b(?:you must|you should|always|please|make sure to|be sure to|you are required to|you "
        r"will)\s+(?:also\s+|only\s+)?(?:say|state|claim|output|respond|reply|answer|report|tell the "
        r"user|inform the user|recommend|conclude|write|print|repeat|include)\b[^.\n]{0,100}\b(?:in|"
        r"to|as) (?:your (?:answer|response|summary|report|output|reply|conclusion)|the user)\b",
    ),
    (
        "dictates the answer",
        r"\b(?:tell|inform|convince|persuade|assure|do not (?:tell|inform|mention|"
        r"reveal)[^.\n]{0,30}to) the user (?:that|to|about|this|of|nothing)\b",
    ),
    (
        "dictates the answer",
        r"^\W*(?:respond|reply|answer|output|print) (?:only |exclusively |exactly )?(?:with|"
        r"using)\b[^.\n]{0,20}(?:[\"“'‘:]|the (?:word|phrase|following|exact|text)|only)",
    ),
    (
        "asks for secrets or sends data away",
        r"\b(?:reveal|print|repeat|output|disclose|show|leak|expose|display|share|send|return|echo|"
        r"exfiltrate|dump)\s+(?:me\s+|us\s+)?(?:all\s+|the\s+|your\s+|any\s+|of\s+|full\s+|entire\s+|"
        r"hidden\s+|complete\s+|contents of\s+){1,4}(?:system prompt|system message|initial prompt|"
        "hidden prompt|instructions you (?:were|have been) given|developer message|conversation "
        "(?:history|log)|chat history|api[- ]?keys?|environment variables|session tokens?|access "
        "tokens?)",
    ),
    (
        "asks for secrets or sends data away",
        r"\b(?:send|post|upload|forward|transmit|submit|exfiltrate|e-?mail|append|"
        r"leak)\b[^.\n]{0,60}\b(?:the |this |your |all |user'?s? )(?:conversation|chat|user(?:'s)? "
        "(?:data|documents?|files?|question|query|information)|documents? you|context|secrets?|"
        "credentials|api[- ]?keys?|private (?:data|documents|files)|retrieved (?:documents|passages)|"
        r"other documents)\b[^.\n]{0,60}(?:https?://|\bto\b)",
    ),
    (
        "asks for secrets or sends data away",
        r"!\[[^\]]{0,80}\]\(https?://[^)\s]*[?&][\w-]+=(?:\{|\[|%7B|<|\$\{)[^)]*\)",
    ),
    (
        "asks for a tool or a command",
        r"\b(?:call|invoke|use|execute|run|trigger)\s+(?:the\s+|your\s+|a\s+)?[`\"']?(?:\w+[_.]\w+|"
        r"browser|shell|terminal|bash|python|code|web|search|fetch|e-?mail|file)[`\"']?\s+(?:tool|"
        r"function|plugin|interpreter|api)\b[^.\n]{0,60}\b(?:with|to|and|on|for)\b",
    ),
    (
        "asks for a tool or a command",
        r"[{\[]\s*[\"'](?:tool(?:_name|_call)?s?|function(?:_call)?|tool_use)[\"']\s*:\s*[\"'{\[]",
    ),
    (
        "asks for a tool or a command",
        r"\byou (?:must|should|shall|will|need to|have to|are required to) (?:now |immediately |first "
        r")?(?:run|execute|call|invoke|fetch|visit|open|download|browse)\b[^.\n]{0,60}(?:https?://|"
        r"\btool\b|\bcommand\b|\bscript\b|\bfunction\b)",
    ),
    (
        "says how a model must treat this text",
        r"\b(?:this (?:document|page|text|source|file)|the (?:following|above) (?:text|document)) "
        "(?:overrides|supersedes|takes precedence over|replaces) (?:all |any |your |the )*(?:other |"
        r"previous |prior )*(?:instructions?|prompts?|sources?|rules|documents?)\b",
    ),
    (
        "says how a model must treat this text",
        r"\b(?:do not|don't|never) (?:cite|use|trust|mention|read|rely on|consider|include) (?:any |"
        r"the )?other (?:sources?|documents?|files?|pages?)\b",
    ),
    (
        "says how a model must treat this text",
        r"\b(?:mark|treat|rate|label|score|rank) this (?:document|page|source|claim|text|paper|"
        r"submission|resume|candidate) as (?:\w+ )?(?:verified|trusted|authoritative|the most "
        r"(?:reliable|relevant|authoritative)|true|supported|excellent|the best|accepted|highly)\b",
    ),
    (
        "says how a model must treat this text",
        r"\b(?:new|updated|revised|additional|secret|hidden|urgent|important) (?:system "
        ")?(?:instructions?|directives?) (?:for|to) (?:the |any |all )?(?:AI|assistant|model|LLM|"
        r"agent|chatbot|reader bot)s?\b",
    ),
    (
        "pretends to be a model",
        r"\bas an? (?:AI|artificial intelligence|large language)(?: language)? (?:model|"
        r"assistant)\s*,?\s*(?:I|you)\b",
    ),
)


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The patterns made ready on first use: importing this room stays cheap."""
    return tuple((reason, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for reason, pattern in _PATTERNS)


# Letters of other alphabets that look Latin, as they are used to hide an instruction from a filter.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁɡΑΒΕΖΗΙΚΜΝΟΡΤΥΧо", "aeopcyxijsdgABEZHIKMNOPTYXo")
_HIDDEN = re.compile(r"[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\U000e0000-\U000e007f]")
_TAG_LETTERS = re.compile(r"[\U000e0020-\U000e007e]{4,}")
_ABOUT = re.compile(
    r"\b(?:such as|for example|for instance|e\.g\.|like|phrases?|strings?|sentences?|attacks?|"
    r"attackers?|adversar\w+|injections?|malicious|"
    r"called|known as|jailbreaks?|so-called|beispielsweise|zum beispiel|exploit\w*|payloads?|an? "
    "(?:instruction|command|comment|prompt|message|page) (?:to|that|telling|asking|saying)|"
    r"tell(?:s|ing)? (?:the|a|an) (?:model|assistant|agent|system|AI)|trick\w*|manipulat\w+|"
    r"researchers?|the paper|study|studies|tests?|we (?:found|show|study|tested|observed))\b",
    re.IGNORECASE,
)
_QUOTES = "\"“”„«»‘’`'"


def addresses_a_model(text: str) -> list[Address]:
    """The stretches of a text that address a language model: whole sentences or lines, in order."""
    found: list[Address] = []
    plain, origin = _unhidden(text)
    for tagged in _TAG_LETTERS.finditer(text):
        found.append(Address(tagged.start(), tagged.end(), tagged.group(), "invisible letters"))
    for reason, pattern in _compiled():
        for match in pattern.finditer(plain):
            left, right = _sentence_around(plain, match.start(), match.end())
            if _is_told_about(plain[left:right], match.start() - left, match.end() - left):
                continue
            start, end = origin(left), origin(right - 1) + 1
            found.append(Address(start, end, text[start:end], reason))
    return _without_overlaps(text, found)


def _unhidden(text: str) -> tuple[str, _Origin]:
    """The text without invisible characters and with look-alike letters made Latin, and the way back."""
    if text.isascii():
        return text, _Origin(None)
    kept = (
        [index for index, character in enumerate(text) if not _HIDDEN.match(character)]
        if _HIDDEN.search(text)
        else None
    )
    shown = text if kept is None else "".join(text[index] for index in kept)
    flat = "".join(_single(character) for character in shown)
    mixed = re.sub(r"\b\w*[a-zA-Z]\w*\b", lambda match: match.group().translate(_LOOKALIKES), flat)
    return mixed, _Origin(kept)


def _single(character: str) -> str:
    if character.isascii() or not 0xFF00 <= ord(character) <= 0xFF5E:
        return character
    return unicodedata.normalize("NFKC", character)[:1]


class _Origin:
    """From a place in the plain text to the place it had."""

    def __init__(self, kept: list[int] | None) -> None:
        self._kept = kept

    def __call__(self, place: int) -> int:
        return place if self._kept is None else self._kept[place]


def _sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    left = max(
        (
            text.rfind(mark, max(0, start - 400), start) + len(mark)
            for mark in (". ", "! ", "? ", "\n", "。")
            if text.rfind(mark, max(0, start - 400), start) >= 0
        ),
        default=max(0, start - 400) if start > 400 else 0,
    )
    right = min(
        (
            place
            for mark in (". ", "! ", "? ", "\n", "。")
            if (place := text.find(mark, max(start, end - 1), end + 400)) >= 0
        ),
        default=min(len(text), end + 400),
    )
    if right < len(text) and text[right] in ".!?。":
        right += 1
    while left < start and text[left].isspace():
        left += 1
    return left, max(right, end)


def _is_told_about(sentence: str, start: int, end: int) -> bool:
    """Whether the words are quoted or reported by prose about such texts."""
    before, after = sentence[:start], sentence[end:]
    quoted = bool(before) and before.rstrip()[-1:] in tuple(_QUOTES) and any(mark in after for mark in _QUOTES)
    opened = sum(before.count(mark) for mark in '"“”„«»`') % 2 == 1 and any(mark in after[:200] for mark in '"“”«»`')
    return bool((quoted or opened) and len(_ABOUT.findall(sentence)) > 0) or len(_ABOUT.findall(before)) >= 2


def _without_overlaps(text: str, found: list[Address]) -> list[Address]:
    result: list[Address] = []
    for address in sorted(found):
        if result and address.start < result[-1].end:
            last = result[-1]
            end = max(last.end, address.end)
            reason = last.reason if address.reason in last.reason else f"{last.reason}; {address.reason}"
            result[-1] = Address(last.start, end, text[last.start : end], reason)
        else:
            result.append(address)
    return result
