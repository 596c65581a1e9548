"""Tools of the newest revision that answer with a question first (`input_required`) and finish on a later round.

The state between the rounds is sealed by the SDK with a key that only this process has: its default, and the hard
case for whatever stands between a client and several replicas.
"""

from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import MISSING_REQUIRED_CLIENT_CAPABILITY, ElicitResult, InputRequiredResult

ROOTS = {"method": "roots/list", "params": {}}


def form(message: str, **fields: str) -> dict:
    """A question with a form; every field is required and has a type."""
    properties = {name: {"type": kind} for name, kind in fields.items()}
    schema = {"type": "object", "properties": properties, "required": list(fields)}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sample(text: str, tokens: int = 100) -> dict:
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": tokens}}


def ask(questions: dict, state: str | None = None) -> InputRequiredResult:
    return InputRequiredResult.model_validate({"inputRequests": questions, "requestState": state}, by_alias=True)


def answer(ctx: Context, key: str):
    return (ctx.input_responses or {}).get(key)


def accepted(ctx: Context, key: str) -> dict | None:
    """What a form was filled in with; nothing if it was not asked yet, or was declined."""
    given = answer(ctx, key)
    return (given.content or {}) if isinstance(given, ElicitResult) and given.action == "accept" else None


def offer(agent: MCPServer) -> None:
    offer_single_questions(agent)
    offer_states(agent)
    offer_capabilities(agent)


def offer_single_questions(agent: MCPServer) -> None:
    @agent.tool(structured_output=False)
    async def test_input_required_result_elicitation(ctx: Context) -> str | InputRequiredResult:
        """Asks for a name."""
        given = accepted(ctx, "user_name")
        if given is None:
            return ask({"user_name": form("What is your name?", name="string")})
        return f"Hello, {given.get('name')}!"

    @agent.tool(structured_output=False)
    async def test_input_required_result_sampling(ctx: Context) -> str | InputRequiredResult:
        """Asks the client's model."""
        given = answer(ctx, "capital_question")
        if given is None:
            return ask({"capital_question": sample("What is the capital of France?")})
        return f"The model said: {given.content.text}"

    @agent.tool(structured_output=False)
    async def test_input_required_result_list_roots(ctx: Context) -> str | InputRequiredResult:
        """Asks for the client's roots."""
        given = answer(ctx, "client_roots")
        if given is None:
            return ask({"client_roots": ROOTS})
        return f"The roots are {', '.join(str(root.uri) for root in given.roots)}"

    @agent.tool(structured_output=False)
    async def test_streaming_elicitation(ctx: Context) -> str | InputRequiredResult:
        """Tells how far it is, then asks."""
        await ctx.report_progress(0, 1)
        given = accepted(ctx, "user_name")
        if given is None:
            return ask({"user_name": form("What is your name?", name="string")})
        return f"Hello, {given.get('name')}!"


def offer_states(agent: MCPServer) -> None:
    @agent.tool(structured_output=False)
    async def test_input_required_result_request_state(ctx: Context) -> str | InputRequiredResult:
        """Gives the client something to keep until the second round."""
        if ctx.request_state != "asked" or accepted(ctx, "confirm") is None:
            return ask({"confirm": form("Please confirm", ok="boolean")}, "asked")
        return "state-ok"

    @agent.tool(structured_output=False)
    async def test_input_required_result_multiple_inputs(ctx: Context) -> str | InputRequiredResult:
        """Asks three things at once."""
        keys = ["user_name", "greeting", "client_roots"]
        if ctx.request_state != "asked" or any(answer(ctx, key) is None for key in keys):
            name = form("What is your name?", name="string")
            return ask({"user_name": name, "greeting": sample("Generate a greeting", 50), "client_roots": ROOTS}, "asked")
        return "All three were answered."

    @agent.tool(structured_output=False)
    async def test_input_required_result_multi_round(ctx: Context) -> str | InputRequiredResult:
        """Asks twice, one question after the other."""
        if ctx.request_state == "step-1" and (given := accepted(ctx, "step1")) is not None:
            question = form("Step 2: What is your favorite color?", color="string")
            return ask({"step2": question}, f"step-2 {given.get('name')}")
        if ctx.request_state and ctx.request_state.startswith("step-2 "):
            if (given := accepted(ctx, "step2")) is not None:
                return f"{ctx.request_state.removeprefix('step-2 ')} likes {given.get('color')}"
        return ask({"step1": form("Step 1: What is your name?", name="string")}, "step-1")

    @agent.tool(structured_output=False)
    async def test_input_required_result_tampered_state(ctx: Context) -> str | InputRequiredResult:
        """Trusts its own state only."""
        if ctx.request_state != "untouched":
            return ask({"confirm": form("Please confirm", ok="boolean")}, "untouched")
        return "The state came back as it went."


def offer_capabilities(agent: MCPServer) -> None:
    @agent.tool(structured_output=False)
    async def test_input_required_result_capabilities(ctx: Context) -> str | InputRequiredResult:
        """Asks only what the client said it can answer."""
        can = ctx.client_capabilities
        questions = {}
        if can and can.elicitation is not None:
            questions["user_name"] = form("What is your name?", name="string")
        if can and can.sampling is not None:
            questions["greeting"] = sample("Generate a greeting", 50)
        open_questions = {key: question for key, question in questions.items() if answer(ctx, key) is None}
        return ask(open_questions) if open_questions else "Nothing is left to ask."

    @agent.tool(structured_output=False)
    async def test_missing_capability(ctx: Context) -> str:
        """Works only with a client that can sample."""
        can = ctx.client_capabilities
        if can is None or can.sampling is None:
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="this tool needs the sampling capability",
                data={"requiredCapabilities": {"sampling": {}}},
            )
        return "The client can sample."
