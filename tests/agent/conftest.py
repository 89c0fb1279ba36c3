"""What several tests of the agent need: a small server that speaks the OpenAI protocol."""

from __future__ import annotations

from reverie.tests.agent.models.conftest import server as server
