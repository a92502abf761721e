"""What a token has to be good for at an address; part of the address's declaration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request

from deepresearch.api.access import Caller, Scope
from deepresearch.api.problems import Problem


def needs(scope: Scope) -> Any:
    """A dependency that refuses (403) a caller whose token lacks the scope."""

    def check(request: Request) -> None:
        caller: Caller = request.scope["caller"]
        if scope not in caller.scopes:
            raise Problem(
                403,
                "scope-missing",
                f"This token is not good for that: it lacks the scope {scope.value!r}.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'},
                exit_code=2,
            )

    checked: Callable[[Request], None] = check
    return Depends(checked)


READ = needs(Scope.READ)
WRITE = needs(Scope.WRITE)
REVIEW = needs(Scope.REVIEW)
SANDBOX = needs(Scope.SANDBOX)
