"""The Bundles in which many resources go out: what a search found, and what a resource has been."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.booking.fhir.resources import Json, local


def searchset(total: int | None, links: Mapping[str, str], entries: Sequence[Json]) -> Json:
    """What a search found. Without `total`: too many to be worth counting."""
    counted: Json = {} if total is None else {"total": total}
    return _bundle("searchset", counted, links, entries)


def history(total: int, links: Mapping[str, str], entries: Sequence[Json]) -> Json:
    """What a resource has been, newest first."""
    return _bundle("history", {"total": total}, links, entries)


def entry(base: str, resource: Json, mode: str) -> Json:
    """A resource in a searchset; `mode` is match or include."""
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def version_entry(base: str, resource: Json, changed_at: datetime, *, first: bool) -> Json:
    """A version in a history; `first` is the one that made the resource."""
    kind, id = resource["resourceType"], resource["id"]
    return {
        "fullUrl": f"{base}/{kind}/{id}",
        "resource": resource,
        "request": {"method": "POST", "url": kind} if first else {"method": "PUT", "url": f"{kind}/{id}"},
        "response": {
            "status": "201" if first else "200",
            "etag": f'W/"{resource["meta"]["versionId"]}"',
            "lastModified": local(changed_at),
        },
    }


def left_aside(names: Sequence[str]) -> list[Json]:
    """The entry that names the parameters which had no effect, if there are any (R4 search, 3.1.1.0.2)."""
    if not names:
        return []
    told = [
        {
            "severity": "warning",
            "code": "not-supported",
            "details": {"text": f"The parameter {name} was ignored: Daybook does not search by it"},
            "diagnostics": f"{name} was ignored",
        }
        for name in names
    ]
    outcome: Json = {"resourceType": "OperationOutcome", "issue": told}
    return [{"resource": outcome, "search": {"mode": "outcome"}}]


def _bundle(kind: str, counted: Json, links: Mapping[str, str], entries: Sequence[Json]) -> Json:
    link = [{"relation": relation, "url": url} for relation, url in links.items()]
    bundle: Json = {"resourceType": "Bundle", "type": kind, **counted, "link": link}
    if entries:
        bundle["entry"] = entries
    return bundle
