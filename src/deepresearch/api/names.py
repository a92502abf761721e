"""Names of collections by tenant: each sees its own under the names it gave."""

from __future__ import annotations

from deepresearch.api.access import DEFAULT_TENANT
from deepresearch.api.problems import Problem, not_found
from deepresearch.model.errors import UsageError
from deepresearch.session.names import checked_name

#: Begins the stored names of all tenants but the default one, whose collections are those of the commands.
_MARK = "tenant-"


def stored_name(tenant: str, name: str) -> str:
    """The name a tenant's collection has in the store. Raises `Problem` 404 for one that nobody could have."""
    try:
        checked_name(name)
        stored = checked_name(name if tenant == DEFAULT_TENANT else f"{_MARK}{tenant}.{name}")
    except UsageError:
        raise not_found(f"There is no collection {name[:80]!r}.") from None
    if tenant == DEFAULT_TENANT and name.startswith(_MARK):
        raise not_found(f"There is no collection {name!r}.")
    return stored


def new_stored_name(tenant: str, name: str) -> str:
    """As `stored_name`, for a collection to be made: a name that cannot be is the request's fault, 422."""
    try:
        return stored_name(tenant, name)
    except Problem:
        raise Problem(
            422,
            "collection-name",
            f"{name[:80]!r} cannot name a collection: use up to 32 letters, digits, '-', '_' or '.', "
            f"and do not begin with '.', '-' or '{_MARK}'.",
            exit_code=2,
        ) from None


def shown_name(tenant: str, stored: str) -> str | None:
    """The name a tenant knows a stored collection by, None when it is not its own."""
    mark = f"{_MARK}{tenant}."
    if tenant == DEFAULT_TENANT:
        return None if stored.startswith(_MARK) else stored
    return stored.removeprefix(mark) if stored.startswith(mark) else None
