"""Secrets and personal data are taken out of whatever is logged; what is neither stays."""

from __future__ import annotations

import pytest

from deepresearch.telemetry.redaction import LONGEST_TEXT, redact, redact_field


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop", "AKIAIOSFODNN7EXAMPLE", "ghp_abcdefghijklmnopqrstuvwxyz0123",
        "xoxb-1234567890-abcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3",
        "anna.schmidt+news@mail.example.org", "+49 30 123 4567 89", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_or_a_person_is_replaced(secret: str) -> None:
    for text in (secret, f"call with {secret} failed", f"'{secret}',"):
        assert secret not in redact(text)
    assert secret not in str(redact({"deep": [{"er": (secret,)}]}))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("postgresql://user:hunter22@db:5432/x", "hunter22"),
        ("postgresql://user:p@ss/w@db:5432/x", "p@ss/w"),
        ("redis://:onlypassword@cache", "onlypassword"),
        ("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl"),
        ("GET /x?api_key=abcd1234&b=2", "abcd1234"),
        ("password = 'hunter22' is wrong", "hunter22"),
        ('{"client_secret": "verysecret"}', "verysecret"),
        ("OPENAI_API_KEY=abcd1234 is set", "abcd1234"),
    ],
)
def test_what_stands_where_secrets_stand_is_replaced(text: str, gone: str) -> None:
    assert gone not in redact(text)


def test_fields_that_are_called_secrets_go_whole_and_counts_stay() -> None:
    for key in (
        "password",
        "api_key",
        "apiKey",
        "openai_api_key",
        "Authorization",
        "http.cookie",
        "session_token",
        "dsn",
    ):
        assert redact_field(key, "x") == "[secret]"
    for key in ("input_tokens", "output_tokens", "tokens", "tokenizer", "keys", "secretary"):
        assert redact_field(key, 5) == 5


def test_what_is_no_secret_stays() -> None:
    for text in (
        "sandbox execution finished", "2026-11-28T09:24:06.823489Z", "20261128-120000-1f2e3d4c", "3 + 4 = 7",
        "deepresearch-python-sandbox:latest", "http://127.0.0.1:4318/v1/metrics", "host:4711", "a token was refused",
        "Tervane Sound Ferries: 12 345 t in 2024", "0190c2a4-7b1e-7c3d-9a2b-1f2e3d4c5b6a",
    ):  # fmt: skip
        assert redact(text) == text
    for value in (None, True, 0, 1.5):
        assert redact(value) is value


def test_long_and_hostile_texts_are_bounded() -> None:
    for hostile in (
        "a" * 100_000,
        "a-" * 50_000,
        "://a:" * 20_000,
        "token=" * 20_000,
        "+1 23 " * 20_000,
        "a@b." * 20_000,
    ):
        assert len(redact(hostile)) < 3 * LONGEST_TEXT
    assert redact(b"\x00" * 7) == "[7 bytes]"
