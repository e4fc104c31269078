"""Slack, Teams and a hundred others, by the library Apprise, which is an extra."""

from __future__ import annotations

from collections.abc import Collection

from kisaan_validate.dataclass import dataclass
from kisaan_validate.notify.channel import CannotDeliver, Environment, said, secret
from kisaan_validate.notify.message import Message


@dataclass(frozen=True)
class AppriseChannel:
    """An address of Apprise, which holds secrets, so that a variable of the environment holds it."""

    name: str
    url_env: str

    def deliver(self, message: Message, env: Environment, only: Collection[str] = ()) -> str:
        """Hand the message to Apprise, which says only whether all went well. Raises CannotDeliver."""
        url = secret(env, self.url_env)
        try:
            import apprise
        except ImportError:
            hint = "pip install 'kisaan-validate[apprise]'"
            raise CannotDeliver(f"Apprise is not installed: {hint}") from None
        try:
            way = apprise.Apprise()
            known = way.add(url)
            taken = known and way.notify(title=message.subject, body=message.body, body_format="text")
        # A plugin may raise anything, and the address may stand in it.
        except Exception as error:
            raise CannotDeliver(said(f"Apprise failed: {type(error).__name__}")) from None
        if not known:
            raise CannotDeliver(f"Apprise does not know the address in {self.url_env}")
        if not taken:
            raise CannotDeliver("Apprise could not deliver it")
        return "taken by Apprise"
