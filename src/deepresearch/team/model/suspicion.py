"""Whether a document might be written for a model rather than for a reader.

Wider than `evidence.addresses_a_model`, which has to be right because its findings are told to people: here a wrong
suspicion only means that a document is read without a model. No filter finds every text; what one misses can still
change nothing but what is quoted from its own document (see docs/model.md).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator

from deepresearch.evidence import addresses_a_model

UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0000-\U000e01ef]"
)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
ENCODED = re.compile(r"(?<![\w+/])[A-Za-z0-9+/_-]{40,}={0,2}(?![\w+/])")
#: Marks that chat templates and tool protocols are made of; no document needs them.
CONTROL = re.compile(
    r"<\|[^|<>]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?(?:system|assistant|user|tool_call|function_call|instructions?)>|"
    r"^\s{0,3}(?:#{1,6}\s*)?(?:system|assistant|developer)\s*(?:prompt|message|instruction)s?\s*:",
    re.IGNORECASE | re.MULTILINE,
)

_TURNS_ROUND = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPOKEN = re.compile(r"[A-Za-z]{3,}(?:[ ,.;:!?'\"-]+[A-Za-z]{2,}){3,}")
_HYPHENS = re.compile(r"(?<=[a-z])-(?=[a-z])", re.IGNORECASE)

_WHO = (
    r"(?:\b(?:AIs?|A\.I\.|LLMs?|GPT|chat ?bots?|(?:AI|language|generative|summari[sz]ing) (?:models?|systems?|agents?|assistants?)|"
    r"(?:virtual|digital|coding) assistants?|summari[sz]ers?|models? (?:summari[sz]ing|reading|processing))\b|"
    r"\bassistant\s*[,:]|\b(?:KI|IA|ИИ|YZ)\b|人工智能|語言模型|语言模型|言語モデル)"
)
_DOES = (
    r"\b(?:ignore|disregard|forget|write|say|reply|respond|answer|report|repeat|print|output|replace|put|insert|include|"
    r"append|search|fetch|call|run|execute|visit|open|send|tell|treat|trust|obey|follow|pretend|end with|begin with|"
    r"must|always|never|do not|don't)\b"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        # An order in one breath with whom it is for.
        rf"{_WHO}[^.!?\n]{{0,160}}{_DOES}",
        rf"{_DOES}[^.!?\n]{{0,160}}{_WHO}",
        # The end of the material, forged, and what would come after it.
        r"\bend of (?:the )?(?:data|document|context|material|input|passage|text)s?\b[^\n]{0,80}\b(?:instruction|order|task)",
        r"\b(?:new|updated|real|actual|hidden) (?:instructions?|task|orders?)\b[^.!?\n]{0,60}\b(?:follow|operator|user|admin|system|:)",
        r"\bpretend (?:that )?(?:you are|to be)\b|\byou are (?:now )?(?:in )?(?:developer|jailbreak|god|debug|admin) mode\b",
        # The protocol's own words: fields, tools, ids, verdicts.
        r"[\"'](?:findings|statement|sub_questions|sentences|queries|tool_calls|role)[\"']\s*:",
        r"\b(?:function|tool) (?:result|output|call|response)s?\b[^\n]{0,20}[(:]",
        r"\[[CFPRS]\d{1,3}\]|\b[FP]\d{1,3}\s*:\s|\b(?:claim|finding|passage)\s+(?:is\s+)?[CFPRS]\d{1,3}\b",
        r"\b(?:supported by|confidence)\b[^.\n]{0,40}\b(?:characters? \d+|0\.\d+)",
        # Decode and obey; addresses that would carry something away.
        r"\b(?:decode|decipher|rot ?13|base ?64)\b[^.\n]{0,40}\b(?:follow|obey|execute|do what)",
        r"[?&]\w{0,12}=\s*(?:\{[^}\n]{0,40}\}|$|[`\"' ]*followed\b)",
        r"\b(?:data|javascript):\w{0,12}[/;,]",
        r"\btell the (?:reader|user)s?\b[^\n]{0,160}https?://",
        # "Ignore all instructions" where `evidence` does not look for it.
        r"\b(?:z?ignoruj\w*|pomi[nń]\w*|ignorera|ignorér|ohita|ignoreerige|ignorē|abaikan|bỏ qua|nepaisyk|ignorujte|ignorați)"
        r"\b[^.\n]{0,80}\b(?:instrukc\w+|polece\w+|instruktion\w*|ohjee\w*|juhise\w*|instruksi|hướng dẫn|pokyn\w*|instrucțiuni\w*)",
        r"\btalimat\w*[^.\n]{0,40}\b(?:yok say|görmezden|unut|dikkate alma)",
        r"(?:تجاهل|انس|أهمل)[^.\n]{0,60}(?:التعليمات|الأوامر|التوجيهات)",
        r"(?:निर्देश|आदेश)[^।\n]{0,40}(?:अनदेखा|नज़रअंदाज़|भूल)",
        r"(?:지시|명령|지침)[^.\n]{0,30}(?:무시|잊)",
        r"(?:התעלם|שכח)[^.\n]{0,40}(?:הוראות|הנחיות)",
        r"(?:ігноруй|забудь)[^.\n]{0,60}(?:інструкці|вказівк)",
    )
)


def is_suspicious(text: str) -> bool:
    """Whether a text addresses a model, openly, hidden, encoded or in the words of its protocol."""
    if _TURNS_ROUND.search(text):
        return True
    plain = UNSEEN.sub("", text)
    joined = _HYPHENS.sub("", plain)
    read = [text, plain, joined, codecs.encode(plain, "rot13"), *_comments(plain)]
    return (
        any(addresses_a_model(one) for one in dict.fromkeys(read))
        or bool(CONTROL.search(plain))
        or any(pattern.search(one) for one in (plain, joined) for pattern in _PATTERNS)
        or any(bool(_SPOKEN.search(one)) for one in decoded(plain))
    )


def _comments(text: str) -> Iterator[str]:
    for comment in COMMENT.findall(text):
        yield comment.removeprefix("<!--").removesuffix("-->").strip()


def decoded(text: str) -> Iterator[str]:
    """What long runs of base64 or of hexadecimal digits say, where they are text at all."""
    for found in ENCODED.findall(text)[:50]:
        for decode in (_from_base64, _from_hex):
            plain = decode(found)
            if plain is not None:
                yield plain


def speaks(text: str) -> bool:
    """Whether a decoded run holds words: they are hidden on purpose."""
    return bool(_SPOKEN.search(text))


def _from_base64(text: str) -> str | None:
    bare = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _from_hex(text: str) -> str | None:
    try:
        return bytes.fromhex(text).decode("utf-8")
    except ValueError:
        return None
