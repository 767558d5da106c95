"""Kernels with a head start: forks of one process that has made the imports of most notebooks.

    with kernels() as name:
        NotebookClient(notebook, kernel_name=name).execute()

A kernel that starts by itself spends four seconds on these imports, and "Run all" starts sixty.
Jupyter starts this file in place of a kernel. It asks the process with the imports for a fork, which
becomes the kernel; it ends when the kernel ends, and the kernel ends if it does.
"""

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from unittest import mock

IMPORTED = (
    *("ipykernel.kernelapp", "matplotlib.pyplot", "pandas", "scipy.cluster.hierarchy"),
    *("scipy.stats", "sklearn.cluster", "sklearn.linear_model", "sklearn.manifold"),
    *("torch", "torch._dynamo"),
)


def until_closed(connection):
    "Wait until the other side has gone."
    with suppress(OSError):
        connection.recv(1)


def follow(connection):
    "End this kernel when Jupyter ends the process that it takes for the kernel."
    until_closed(connection)
    os._exit(1)


def become_kernel(connection):
    "Turn this process into the kernel that was asked for, and run it to its end."
    folder, environment, file = json.loads(connection.makefile().readline())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"
    sys.argv = ["ipykernel_launcher", "-f", file, parent, "--log-level=ERROR"]
    Thread(target=follow, args=[connection], daemon=True).start()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


def requested(address):
    "Each request is returned in a fork of this process, which ends with the one that started it."
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:  # closed: it is gone
            sys.exit()
        connection, _ = listener.accept()
        if os.fork() == 0:
            return connection
        connection.close()


def serve(address):
    "Make the imports, then fork a kernel for each process that asks."
    for name in IMPORTED:
        import_module(name)
    gc.freeze()  # no collection in a fork looks at these objects, and copies their memory by it
    become_kernel(requested(address))


def start(address, file):
    "Ask for a kernel that listens as the connection file says, and wait for its end."
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which Jupyter sends before it ends a kernel
    request = json.dumps((os.getcwd(), dict(os.environ), file))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(f"{request}\n".encode())
        until_closed(connection)


@contextmanager
def kernels():
    "The name of a kernel specification whose kernels are forks, while the process to fork lives."
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/address"
        specification = Path(folder, "kernels", "forked", "kernel.json")
        specification.parent.mkdir(parents=True)
        # -E: without PYTHONPATH, since this process only waits
        command = [sys.executable, "-E", __file__, "start", address, "{connection_file}"]
        content = dict(argv=command, display_name="forked", language="python")
        specification.write_text(json.dumps(content))
        # Figures are shown in the notebook, as ipykernel has it where matplotlib comes later.
        inline = os.environ | dict(MPLBACKEND="module://matplotlib_inline.backend_inline")
        server = subprocess.Popen(
            [sys.executable, __file__, "serve", address], env=inline, stdin=subprocess.PIPE
        )
        try:
            while not Path(address).exists():
                assert server.poll() is None, "the imports failed"
                time.sleep(0.05)
            with mock.patch.dict(os.environ, JUPYTER_PATH=folder):
                yield "forked"
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    dict(serve=serve, start=start)[sys.argv[1]](*sys.argv[2:])
