#!/usr/bin/env python3
"""Follows a mesh: watch.py [http://127.0.0.1:8000] [Route,Endpoints]. When control comes back, it goes on where it was."""
import http.client, json, sys, time, urllib.request

base = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
types = sys.argv[2] if len(sys.argv) > 2 else ""
held, place, event = {}, None, {}  # what there is, where we are, and the event that is being read
while True:
    try:
        if place is None:
            held.clear()
        ask = urllib.request.Request(f"{base}/v1/watch?types={types}", headers={"Last-Event-ID": place} if place else {})
        with urllib.request.urlopen(ask, timeout=60) as lines:  # control says something every 15 seconds
            for line in lines:
                key, _, value = line.decode().strip().partition(": ")
                if key:
                    event[key] = value
                    continue
                place = event.get("id", place)
                if event.get("event") == "reset":
                    held.clear()
                for change in json.loads(event.get("data", "{}")).get("changes", []):
                    held[change["type"], change["name"]] = change["token"]
                    if change["op"] == "removed":
                        del held[change["type"], change["name"]]
                    print(change["op"], change["type"], change["name"], flush=True)
                if "event" in event:
                    print(event["event"], place, len(held), flush=True)
                event = {}
    except (OSError, http.client.HTTPException) as reason:
        print("control is away:", reason, file=sys.stderr, flush=True)
    event = {}
    time.sleep(1)
