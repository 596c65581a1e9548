"""A web application that depends on an agent of mcp-mesh; nobody depends on it."""

import os

import mesh
import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/hi")
@mesh.route(dependencies=["greeting"])
async def hi(greeting: mesh.McpMeshTool = None):
    if greeting is None:
        return {"answer": None}
    return {"answer": await greeting(name="api")}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["MCP_MESH_HTTP_PORT"]), log_level="warning")
