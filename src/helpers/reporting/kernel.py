"""The kernel of a run: IPython's own, which opens no port at all.

ipykernel takes what forked children print through a port of this machine, whatever the transport of the kernel. Here it
is a socket file beside the kernel's others, which only its owner may open. Run as `python -m helpers.reporting.kernel`.
"""

from __future__ import annotations

import os
import sys

import zmq
from ipykernel import kernelapp
from ipykernel.iostream import IOPubThread
from zmq.eventloop.zmqstream import ZMQStream


class IOPubThreadWithoutPort(IOPubThread):
    """The thread that sends outputs, listening to forked children on a socket file where the kernel has such files."""

    def _setup_pipe_in(self):
        endpoint = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        if not endpoint.startswith("ipc://"):
            super()._setup_pipe_in()
            return
        self._pipe_uuid = os.urandom(16)
        self._pipe_endpoint = f"{endpoint}-children"
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(self._pipe_endpoint)
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self):
        if not hasattr(self, "_pipe_endpoint"):
            return super()._setup_pipe_out()
        context = zmq.Context()
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000  # ms, as ipykernel has it
        pipe.connect(self._pipe_endpoint)
        return context, pipe


if __name__ == "__main__":
    if sys.path[0] in ("", os.getcwd()):  # as ipykernel_launcher does: IPython adds it again
        del sys.path[0]
    kernelapp.IOPubThread = IOPubThreadWithoutPort
    kernelapp.launch_new_instance()
