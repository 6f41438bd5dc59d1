"""The page for questions over a warehouse: its application, and people of several rights."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from core import identity
from core.clock import SystemClock
from core.settings import Settings
from dashboards.ask.asking import Asking, Provider
from dashboards.ask.page import ROLES, AskPage
from dashboards.ask.saved import SavedQuestions
from dashboards.entrance.answers import Entrance
from dashboards.entrance.door import Door
from dashboards.entrance.sign_in import SignIn
from dashboards.live.pages import Answer, from_our_page

PASSWORD = "correct horse"


def with_people(home: Path) -> None:
    """Ann, an analyst; Eve, who sees EURUSD alone; Rec, who only records."""
    people = [
        identity.new_user("ann", "analyst", PASSWORD),
        identity.new_user("eve", "analyst", PASSWORD, {"tickhouse.tick": "symbol = 'EURUSD'"}),
        identity.new_user("rec", "recorder", PASSWORD),
        identity.new_user("root", "admin", PASSWORD),
    ]
    identity.save(identity.path_in(home), {user.name: user for user in people})


def application(settings: Settings, provided: Provider | None = None) -> Starlette:
    """The page alone, as the live page's process has it."""
    clock, home = SystemClock(), settings.home_path
    entrance = Entrance(SignIn(home, clock))
    door = Door(home, entrance, ROLES, everybody=True)
    page = AskPage(door, Asking(settings, clock, provided), SavedQuestions(home, clock))

    def guarded(path: str, answer: Answer) -> Route:
        async def press(request: object) -> object:
            if not from_our_page(request):  # type: ignore[arg-type]
                return JSONResponse({"error": "not from this page"}, status_code=403)
            return await answer(request)  # type: ignore[arg-type]

        return Route(path, press, methods=["POST"])

    return Starlette(routes=page.routes(guarded))
