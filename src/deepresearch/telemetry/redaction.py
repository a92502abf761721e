"""Takes secrets and personal data out of log lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECRET = "[secret]"  # noqa: S105 - what stands in a secret's place

_SECRET_KEY = re.compile(
    r"(?i)(^|[._\-])(authorization|api[_-]?keys?|access[_-]?keys?|private[_-]?keys?|tokens?|passwords?|passwd|secrets?|cookies?|credentials?|dsn)$"
)
_COUNTED_TOKENS = frozenset({"input_tokens", "output_tokens", "budget_tokens", "tokens", "max_tokens"})

#: Whole matches are replaced; each pattern keeps away from what may stand around a secret.
_SECRET_TEXT = re.compile(
    r"""(?xi)
    \b(?:sk|pk|rk)-[a-z0-9_\-]{12,}                                  # keys of model providers
    | \bbearer\s+[a-z0-9._~+/\-]{8,}=*
    | (?<=basic\s)[a-z0-9+/]{12,}=*
    | \bAKIA[0-9A-Z]{16}\b
    | \bgh[pousr]_[a-z0-9]{20,} | \bgithub_pat_[a-z0-9_]{20,} | \bglpat-[a-z0-9_\-]{16,}
    | \bxox[abprs]-[a-z0-9\-]{10,} | \bAIza[a-z0-9_\-]{30,}
    | \beyJ[a-z0-9_\-]{8,}\.[a-z0-9_\-]{8,}\.[a-z0-9_\-]{4,}          # signed tokens
    | -----BEGIN[ A-Z]*PRIVATE[ ]KEY-----.*?(?:-----END[ A-Z]*PRIVATE[ ]KEY-----|$)
    """,
    re.DOTALL,
)
#: The user and password of an address: ``scheme://user:password@host``. The password may hold an ``@`` or ``/``.
_ADDRESS_LOGIN = re.compile(r"(?i)(?<=://)[^\s:@/]*:[^\s'\"]*@")
#: ``password=…`` and its like within a sentence, an address or a command line.
_ASSIGNED = re.compile(
    r"(?i)\b((?:[a-z0-9]{1,40}[_-]){0,4}(?:api[_-]?key|access[_-]?key|token|password|passwd|pwd|secret|client[_-]?secret)['\"]?\s*[=:]\s*['\"]?)"
    r"([^\s'\",;&]{4,})"
)
_MAIL_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE_NUMBER = re.compile(r"(?<![\w.])\+\d{1,3}(?:[ .\-/]?\(?\d{1,4}\)?){2,5}(?![\w])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){3,7}(?:[ ]?[A-Z0-9]{1,3})?\b")

#: Every pattern of `_SECRET_TEXT` and `_IBAN` needs as many characters.
_SHORTEST_SECRET = 15

#: Longer texts are cut before they are searched: a log line is no place for a document.
LONGEST_TEXT = 8_000


def redact(value: Any) -> Any:
    """Replace secrets, mail addresses, phone numbers and account numbers inside strings, at any depth.

    Numbers and truth values pass unchanged. A text longer than `LONGEST_TEXT` characters is cut.
    """
    if isinstance(value, str):
        return _redact_text(value)
    if isinstance(value, Mapping):
        return {str(key): redact_field(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if value is None or isinstance(value, bool | int | float):
        return value
    return _redact_text(str(value))


def redact_field(key: str, value: Any) -> Any:
    """Redact one field: whole when its name says it is a secret, otherwise what looks like one inside."""
    if key not in _COUNTED_TOKENS and _SECRET_KEY.search(key):
        return SECRET
    return redact(value)


def _redact_text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]} [{len(text) - LONGEST_TEXT} characters left out]"
    # Most fields are short words: what a pattern cannot do without is looked for first.
    if "://" in text:
        text = _ADDRESS_LOGIN.sub(f"{SECRET}@", text)
    if len(text) >= _SHORTEST_SECRET:
        text = _SECRET_TEXT.sub(SECRET, text)
        text = _IBAN.sub("[account]", text)
    if "=" in text or ":" in text:
        text = _ASSIGNED.sub(rf"\1{SECRET}", text)
    if "@" in text:
        text = _MAIL_ADDRESS.sub("[mail]", text)
    if "+" in text:
        text = _PHONE_NUMBER.sub("[phone]", text)
    return text
