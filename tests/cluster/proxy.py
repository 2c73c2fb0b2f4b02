"""proxy.py: a slow or failing link, in user space: TCP connections to 127.0.0.1:PORT go on to 127.0.0.1:TO.

proxy.py PORT TO SOCKET     The unix socket takes a line each: `delay SECONDS` (one way), `freeze` (nothing passes, nothing is
lost), `thaw`, `cut` (every connection is reset), `refuse 0|1` (new ones are reset at once), `bytes`; the answer is one line:
bytes from the client, bytes to the client, open connections."""
import asyncio
import os
import socket
import struct
import sys
import time


class Link:
    def __init__(self, to):
        self.to = to
        self.delay = 0.0
        self.refuse = False
        self.moving = asyncio.Event()
        self.moving.set()
        self.bytes = [0, 0]
        self.writers = set()

    async def carry(self, reader, writer, way):
        """Two halves, so that a delay holds nothing up: what was read is due `delay` later."""
        due = asyncio.Queue(maxsize=256)

        async def take():
            while True:
                await self.moving.wait()
                data = await reader.read(65536)
                self.bytes[way] += len(data)
                await due.put((time.monotonic() + self.delay, data))
                if not data:
                    return

        taking = asyncio.create_task(take())
        try:
            while True:
                when, data = await due.get()
                await asyncio.sleep(max(0.0, when - time.monotonic()))
                await self.moving.wait()
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            reset(writer)
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def connected(self, reader, writer):
        far = None
        self.writers.add(writer)
        try:
            if not self.refuse:
                far_reader, far = await asyncio.open_connection("127.0.0.1", self.to)
                self.writers.add(far)
                for one in (writer, far):
                    one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await asyncio.gather(self.carry(reader, far, 0), self.carry(far_reader, writer, 1))
            else:
                reset(writer)
        except OSError:
            reset(writer)  # nobody listens there: the client is told
        finally:
            for one in {writer, far} & self.writers:
                self.writers.discard(one)
                one.close()

    async def control(self, reader, writer):
        async for line in reader:
            verb, *rest = line.decode().split()
            if verb == "delay":
                self.delay = float(rest[0])
            elif verb == "refuse":
                self.refuse = rest[0] == "1"
            elif verb == "freeze":
                self.moving.clear()
            elif verb == "thaw":
                self.moving.set()
            elif verb == "cut":
                for one in list(self.writers):
                    reset(one)
            writer.write(f"{self.bytes[0]} {self.bytes[1]} {len(self.writers) // 2}\n".encode())
            await writer.drain()
        writer.close()


def reset(writer):
    """The other side sees a connection reset, not an orderly end."""
    end = writer.get_extra_info("socket")
    if end is not None and end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main(port, to, path):
    link = Link(to)
    servers = [await asyncio.start_server(link.connected, "127.0.0.1", port),
               await asyncio.start_unix_server(link.control, path)]
    os.chmod(path, 0o666)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
