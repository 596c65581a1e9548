"""An agent of mcp-mesh that greets. It knows its registry and its port, and nothing else.

NAME is the agent, WHO is what it answers with, FUNCTION what its tool is called; ILL is a file that makes it unwell.
"""

import os

# The SDK loads these while a timer of its own runs; on a busy machine it binds its port twice if they are not there by then.
import fastapi  # noqa: F401
import mesh
import uvicorn  # noqa: F401
from fastmcp import FastMCP

NAME, WHO = os.environ["NAME"], os.environ.get("WHO", os.environ["NAME"])
app = FastMCP(NAME)


async def greet(name: str = "bob") -> dict:
    return {"who": WHO, "text": f"hello {name}"}


# The mesh knows a tool by the name of its function.
greet.__name__ = os.environ.get("FUNCTION", "greet")
app.tool()(mesh.tool(capability="greeting", tags=["prod", "en"], version="2.1.0", timeout=20, retry_count=2)(greet))


@app.tool()
@mesh.tool(capability="ticker")
async def tick(count: int = 3) -> mesh.Stream[str]:
    for at in range(count):
        yield f"{WHO} {at} "


@app.tool()
@mesh.tool(capability="report", task=True)
async def report(subject: str = "x") -> dict:
    return {"who": WHO, "subject": subject}


async def is_well() -> bool:
    return not os.path.exists(os.environ.get("ILL", "/nowhere"))


@mesh.agent(name=NAME, version="1.0.0", health_check=is_well, health_check_ttl=1)
class Provider:
    pass
