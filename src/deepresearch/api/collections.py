"""``/v1/collections``: make them by upload, look, search, delete."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from starlette.datastructures import UploadFile

from deepresearch.api.answers import CollectionList, CollectionShown, Deleted, Forgotten, IngestDone
from deepresearch.api.describing import PROBLEMS, asked_body
from deepresearch.api.names import new_stored_name, shown_name, stored_name
from deepresearch.api.problems import Problem
from deepresearch.api.requests import Forgetting, SearchAsked
from deepresearch.api.scopes import READ, WRITE
from deepresearch.api.services import Calling, Served, Services
from deepresearch.api.uploads import checked_files, read_form
from deepresearch.session.found import SearchResult

router = APIRouter(prefix="/v1/collections", tags=["collections"], responses=PROBLEMS)

_Name = Annotated[str, PathParameter(max_length=64, description="The collection's name.")]


def _held(name: _Name, services: Served, caller: Calling) -> str:
    stored = stored_name(caller.tenant, name)
    if services.collections.holdings.form(stored) is None:
        raise Problem(404, "unknown-collection", f"There is no collection {name!r}.", exit_code=2)
    return stored


#: The stored name of the collection an address names, which is there and the tenant's own.
_Held = Annotated[str, Depends(_held)]


@router.get("", dependencies=[READ])
def listed(services: Served, caller: Calling) -> CollectionList:
    """The tenant's collections by name."""
    return CollectionList(
        collections=tuple(
            record.model_copy(update={"name": name})
            for record in services.collections.records()
            if (name := shown_name(caller.tenant, record.name)) is not None
        )
    )


@router.get("/{name}", dependencies=[READ])
def shown(name: _Name, held: _Held, services: Served) -> CollectionShown:
    """One collection and its documents."""
    record = services.collections.record(held)
    documents = tuple(
        document.model_copy(update={"source": services.shown.text(document.source)})
        for document in services.collections.documents(held)
    )
    return CollectionShown(**(record.model_dump() | {"name": name}), sources=documents)


@router.post(
    "/{name}/documents",
    dependencies=[WRITE],
    openapi_extra=asked_body(None, files="Documents, each with a relative file name."),
)
async def ingest(name: _Name, request: Request, services: Served, caller: Calling) -> IngestDone:
    """Take documents into a collection, which is made when there is none.

    A document of a name it has replaces that one; unchanged ones cost only a look. What cannot be read is named in
    `refused`.
    """
    stored = new_stored_name(caller.tenant, name)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem(415, "media-type", "Send the documents as multipart/form-data, in the field files.", exit_code=2)
    form = await read_form(request, services.upload_limits)
    files = checked_files(form, "files", services.upload_limits)
    if not files:
        raise Problem(422, "nothing-uploaded", "The upload holds no document in the field files.", exit_code=2)
    async with services.ingesting.setdefault(stored, asyncio.Lock()):
        done = await asyncio.to_thread(_take_in, services, stored, files)
    return IngestDone.model_validate(services.shown.value(done) | {"collection": name})


@router.delete("/{name}/documents", dependencies=[WRITE])
def forget(name: _Name, asked: Forgetting, held: _Held, services: Served) -> Forgotten:
    """Delete documents of a collection by the names it lists."""
    folder = services.uploads.collection_folder(held)
    known = {holding.source for holding in services.collections.documents(held)}
    wanted = [
        source if source in known else str(folder / source) if not source.startswith("/") else source
        for source in asked.sources
    ]
    unknown = [given for given, source in zip(asked.sources, wanted, strict=True) if source not in known]
    if unknown:
        raise Problem(404, "unknown-document", f"{name} has no document {unknown[0][:200]!r}.", exit_code=2)
    return Forgotten(collection=name, forgotten=services.collections.forget(held, wanted))


@router.delete("/{name}", dependencies=[WRITE])
def delete(name: _Name, held: _Held, services: Served) -> Deleted:
    """Delete a collection: its index, and every text that no session and no other collection needs."""
    services.collections.delete(held)
    services.uploads.remove(services.uploads.collection_folder(held))
    return Deleted(collection=name)


@router.post("/{name}/search", dependencies=[READ])
def search(name: _Name, asked: SearchAsked, held: _Held, services: Served, caller: Calling) -> SearchResult:
    """The passages of a collection that fit a text best, and why each was found."""
    return _search(asked, held, services, caller)


@router.get("/{name}/search", dependencies=[READ])
def search_by_address(
    name: _Name,
    held: _Held,
    services: Served,
    caller: Calling,
    text: Annotated[str, Query(min_length=1, max_length=10_000, description="Words to look for.")],
    limit: Annotated[int, Query(ge=1, le=200, description="Passages at most.")] = 10,
) -> SearchResult:
    """As the POST, for what fits into an address."""
    return _search(SearchAsked(text=text, limit=limit), held, services, caller)


def _search(asked: SearchAsked, held: str, services: Services, caller: Calling) -> SearchResult:
    found = services.collections.search(held, asked.text, limit=asked.limit, kinds=asked.kinds, sources=asked.sources)
    return services.shown.search(found, caller.tenant)


def _take_in(services: Services, stored: str, files: dict[str, UploadFile]) -> dict[str, Any]:
    """Put the files into the collection's folder, take them in, and remove them: their texts are stored."""
    staged = services.uploads.stage(files)
    folder = services.uploads.collection_folder(stored)
    paths: list[Path] = []
    try:
        for name in files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (staged / name).replace(target)
            paths.append(target)
        return services.collections.ingest(stored, paths).model_dump(mode="json")
    finally:
        services.uploads.remove(staged)
        services.uploads.remove(folder)
