"""Examples of the vocabulary for the API's description."""

from __future__ import annotations

from typing import Any

_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ID = "20261128-121500-1f2e3d4c"
_AT = "2026-11-28T12:15:00.000000Z"

_QUOTE: dict[str, Any] = {
    "source": "report-2024.pdf",
    "sha256": _SHA256,
    "page": 3,
    "start": 1042,
    "end": 1084,
    "quote": "Emissions fell to 412 tonnes during 2024.",
}
_CLAIM: dict[str, Any] = {
    "id": "C1",
    "text": "Emissions fell to 412 tonnes in 2024.",
    "sub_question": "Q1",
    "support": "supported",
    "confidence": 0.97,
    "citations": [_QUOTE],
    "run_id": None,
}
_OPTIONS: dict[str, Any] = {
    "question": "How did emissions develop?",
    "sources": ["report-2024.pdf"],
    "team": "extractive",
}
_RECORD: dict[str, Any] = {
    "id": _ID,
    "state": "running",
    "options": _OPTIONS,
    "created_at": _AT,
    "updated_at": _AT,
    "error": None,
    "tenant": "default",
}
_COLLECTION: dict[str, Any] = {
    "name": "reports",
    "form": "passages-1",
    "created_at": _AT,
    "documents": 12,
    "pending": 0,
    "passages": 1830,
}
_HOLDING: dict[str, Any] = {
    "source": "report-2024.pdf",
    "sha256": _SHA256,
    "loader": "1",
    "state": "indexed",
    "passages": 154,
}
_POINT: dict[str, Any] = {"label": "2024", "value": 412.0, "quote": _QUOTE}
_SERIES: dict[str, Any] = {"name": "Emissions", "unit": "t", "axis": "year", "points": [_POINT]}
_EXPLANATION: dict[str, Any] = {
    "check": {"support": "supported", "score": 0.97, "features": {"overlap": 1.0}, "missing": []},
    "sentences": [],
    "contributions": {"overlap": 3.1},
    "to_next_band": 0.0,
    "would_change": [],
}
_LEG: dict[str, Any] = {"rank": 1, "score": 7.2, "contribution": 0.26}
_MATH: dict[str, Any] = {"status": "success", "alert_required": False, "degradation_note": "", "runs": [f"{_ID}-M1"]}
_USAGE: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "seconds": 2.4}

#: By the name of the model in the description.
EXAMPLES: dict[str, dict[str, Any]] = {
    "SessionRecord": _RECORD,
    "SessionOptions": _OPTIONS,
    "SessionEvent": {
        "session_id": _ID,
        "number": 4,
        "at": _AT,
        "kind": "stage.finished",
        "data": {"stage": "load", "documents": 12, "refused": [], "seconds": 0.8},
    },
    "Review": {
        "reason": "asked for",
        "asked_at": _AT,
        "decision": None,
        "reviewer": None,
        "note": "",
        "decided_at": None,
    },
    "AuditEntry": {
        "number": 1,
        "at": _AT,
        "tenant": "default",
        "actor": "default/1",
        "action": "session.submit",
        "session_id": _ID,
        "detail": {},
    },
    "Purged": {"session_id": _ID, "artefacts": 2, "files": 5, "log_lines": 14},
    "Report": {
        "session_id": _ID,
        "question": "How did emissions develop?",
        "status": "completed",
        "team": "extractive",
        "answer": "Emissions fell to 412 tonnes in 2024.",
        "claims": [_CLAIM],
        "conflicts": [],
        "limits": [],
        "figures": [],
        "math": _MATH,
        "usage": _USAGE,
        "paths": {"json": f"/v1/sessions/{_ID}/report?format=json"},
        "created_at": _AT,
    },
    "Claim": _CLAIM,
    "Quote": _QUOTE,
    "Conflict": {"claims": ["C1", "C4"], "kind": "number", "note": "Two reports give different totals for 2023."},
    "Figure": {
        "path": f"/v1/sessions/{_ID}/artefacts/figures/01-emissions.png",
        "title": "Emissions",
        "run_id": f"{_ID}-M1",
        "media_type": "image/png",
        "sha256": _SHA256,
    },
    "MathSummary": _MATH,
    "DataPoint": _POINT,
    "Series": _SERIES,
    "ScriptRecord": {
        "run_id": f"{_ID}-M1",
        "title": "Emissions",
        "script": "print(412 - 500)",
        "files": {},
        "series": [_SERIES],
        "values": {"change": -88.0},
    },
    "SourceEntry": {
        "source": "report-2024.pdf",
        "sha256": _SHA256,
        "title": "Annual report 2024",
        "media_type": "application/pdf",
        "date": "2025-03-01",
        "version": None,
        "citations": 1,
        "superseded_by": None,
    },
    "SubQuestion": {
        "id": "S1",
        "text": "How did emissions develop?",
        "type": "trend",
        "queries": ["emissions develop"],
        "terms": ["emissions"],
    },
    "SupportCheck": {"support": "supported", "score": 0.97, "features": {"overlap": 1.0}, "missing": []},
    "CarryingSentence": {
        "text": "Emissions fell to 412 tonnes during 2024.",
        "shared": [[0, 9]],
        "adds": ["emissions"],
    },
    "ExplainedQuote": {"quote": _QUOTE, "holds": True},
    "Explanation": _EXPLANATION,
    "NumberOrigin": {"written": "412", "kind": "quote", "name": ""},
    "ExplainedClaim": {
        "claim": _CLAIM,
        "quotes": [{"quote": _QUOTE, "holds": True}],
        "origins": 1,
        "explanation": _EXPLANATION,
        "numbers": [],
        "confidence_note": "0.97",
        "would_change": [],
        "conflicts": [],
    },
    "LegScore": _LEG,
    "deepresearch__model__report__Usage": _USAGE,
    "deepresearch__sandbox__contract__Usage": {"cpu_ms": 38, "peak_memory_bytes": 31457280},
    "CollectionRecord": _COLLECTION,
    "CollectionShown": {**_COLLECTION, "sources": [_HOLDING]},
    "Holding": _HOLDING,
    "RefusedSource": {"source": "scan.pdf", "kind": "no_text", "reason": "it holds pictures of pages and no text."},
    "SearchResult": {"collection": "reports", "query": "fuel 2024", "hits": [], "note": "No passage fits."},
    "Found": {
        "source": "report-2024.pdf",
        "sha256": _SHA256,
        "page": 3,
        "heading_path": ["Environment"],
        "kind": "prose",
        "start": 1042,
        "end": 1084,
        "text": "Emissions fell to 412 tonnes during 2024.",
        "score": 0.031,
        "legs": {"sparse": _LEG},
        "also_in": [],
    },
    "RunDone": {
        "run_id": "5f0c2d7e",
        "backend": "bubblewrap",
        "status": "success",
        "reason": "ok",
        "exit_code": 0,
        "signal": None,
        "duration_ms": 41,
        "stdout": "45\n",
        "stderr": "",
        "outputs": [],
        "rejected": [],
    },
    "Output": {"path": "plot.png", "media_type": "image/png", "size": 18211, "sha256": _SHA256},
    "Rejected": {"path": "out.sock", "reason": "it is no regular file"},
    "Check": {"state": "ok", "detail": ""},
}
