"""A terminal that answers what it is told to: ``python scripted_terminal.py ADDRESS STEPS``.

`STEPS` is JSON: what to do with each request after the hello and the state poll, in order:
``{"send": hex}`` and/or ``{"close": true}``. After the last one every request gets a total of 4.
Steps with ``"poll": true`` at the beginning are for the state polls, which get 2 (connected) after
them.
Only one client; it ends with the client, and prints a line when it listens.
"""

import asyncio
import json
import struct
import sys

HELLO, STATE = 0x04, 0x6D


class Scripted(asyncio.Protocol):
    def __init__(self, steps, ended):
        self.steps = steps
        self.ended = ended

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        command = struct.unpack_from("<I", data, 4)[0]
        if command == HELLO:
            return self.total(command, 5833)
        if command == STATE and not (self.steps and self.steps[0].get("poll")):
            return self.total(command, 2)
        if not self.steps:
            return self.total(command, 4)
        step = self.steps.pop(0)
        self.transport.write(bytes.fromhex(step.get("send", "")))
        if step.get("close"):
            self.transport.close()
        return None

    def total(self, command, number):
        self.transport.write(struct.pack("<IIiI", 12, command, 1, number))

    def connection_lost(self, error):
        self.ended.set()


async def main(where, steps):
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def make():
        return Scripted(json.loads(steps), ended)

    if sys.platform == "win32":
        await loop.start_serving_pipe(make, where)
    else:
        await loop.create_unix_server(make, where)
    print("listening", flush=True)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
