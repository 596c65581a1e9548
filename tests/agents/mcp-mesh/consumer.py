"""An agent of mcp-mesh that depends on others; the first of its dependencies is provided by nobody."""

import os

# The SDK loads these while a timer of its own runs; on a busy machine it binds its port twice if they are not there by then.
import fastapi  # noqa: F401
import mesh
import uvicorn  # noqa: F401
from fastmcp import FastMCP

NAME = os.environ["NAME"]
GREETING = {"capability": "greeting", "tags": ["prod", "+en", "-beta"], "version": ">=2.0.0"}
app = FastMCP(NAME)


@app.tool()
@mesh.tool(capability="hello_via", dependencies=[{"capability": "nosuch"}, GREETING])
async def hello_via(name: str = "bob", nosuch: mesh.McpMeshTool = None, greeting: mesh.McpMeshTool = None) -> dict:
    if greeting is None:
        return {"missing": nosuch is None, "answer": None}
    return {"missing": nosuch is None, "answer": await greeting(name=name)}


@app.tool()
@mesh.tool(capability="ticks_via", dependencies=["ticker"])
async def ticks_via(count: int = 3, ticker: mesh.McpMeshTool = None) -> dict:
    if ticker is None:
        return {"chunks": None}
    return {"chunks": [chunk async for chunk in ticker.stream(count=count)]}


@app.tool()
@mesh.tool(capability="report_via", dependencies=["report"])
async def report_via(subject: str = "x", report: mesh.MeshJob = None) -> dict:
    if report is None:
        return {"refused": None}
    try:
        job = await report.submit(subject=subject)
    except Exception as error:
        return {"refused": str(error)}
    return {"job": str(job)}


@mesh.llm(filter=[{"capability": "greeting"}, {"capability": "ticker"}], provider={"capability": "llm", "tags": ["claude"]})
@mesh.tool(capability="chat")
async def chat(message: str = "hi", llm: mesh.MeshLlmAgent = None) -> str:
    return "no model" if llm is None else await llm(message)


app.tool()(chat)


@mesh.agent(name=NAME, version="1.0.0")
class Consumer:
    pass
