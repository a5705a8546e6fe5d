"""What people can ask of notifications: what patients were told, what waits for somebody, and the desk to do it at."""

from fastapi import APIRouter

from services.notifications import desk_api, messages_api, telling_api, worklists_api
from shared.http import routes_of

people = APIRouter(routes=routes_of(part.router for part in (messages_api, worklists_api, telling_api, desk_api)))
