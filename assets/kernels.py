"""A notebook's kernel: one process that may run several notebooks, one after another.

To start Python and import pandas, geopandas and matplotlib takes longer than to run a packet's
cells; so the notebooks of a week share two kernels, each notebook in an empty namespace.
"""

import contextlib
import ctypes
import gc
import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from beatbook.errors import BeatbookError, BookError
from beatbook.home import HOME_VARIABLE, Home

# The kernel warns that its loopback connection is not encrypted; it is loopback.
_ARGUMENTS = ["--log-level=ERROR", "--HistoryManager.hist_file=:memory:"]
_SECONDS_TO_START = 120


class NotebookKernel:
    """A kernel that works in ``notebooks/`` of a checkout, started when it is first needed.

    A context manager; at its end the kernel is shut down. Use it in the thread that made it, and
    one notebook at a time. Several may run side by side, each in a thread of its own: neither the
    working directory nor the environment of this process is touched.

    Parameters
    ----------
    home
        The checkout that the notebooks find.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self._manager: Any = None
        self._used = False

    def __enter__(self) -> "NotebookKernel":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def ready(self) -> Any:
        """Give the running kernel's manager: started if need be, emptied if used before.

        A kernel that has died (memory, a crash in a library) is replaced by a new one, so one
        notebook's end is not the end of those after it.
        """
        from jupyter_core.utils import run_sync

        if self._manager is not None and self._used and not run_sync(self._emptied)():
            self.stop()
        if self._manager is None:
            run_sync(self._start)()
        self._used = True
        return self._manager

    def stop(self) -> None:
        """Shut the kernel down; nothing happens if none runs."""
        from jupyter_core.utils import run_sync

        if self._manager is not None:
            run_sync(self._stop)()

    async def _start(self) -> None:
        os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        manager = _manager_class()(kernel_name="python3")
        environment = os.environ | {HOME_VARIABLE: str(self.home.root)}
        try:
            await manager.start_kernel(
                extra_arguments=list(_ARGUMENTS), cwd=str(self.home.notebooks), env=environment
            )
        except (OSError, RuntimeError) as error:
            raise BookError(
                f"No Python kernel could be started for the notebooks: {error}. Check that "
                "ipykernel is installed: python -m ipykernel --version"
            ) from None
        self._manager, self._used = manager, False

    async def _emptied(self) -> bool:
        """Clear the namespace, so that a notebook cannot lean on the one before it."""
        if not await self._manager.is_alive():
            return False
        client = self._manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=_SECONDS_TO_START)
            reply = await client.execute_interactive(
                "%reset -f", silent=True, store_history=False, timeout=_SECONDS_TO_START
            )
        except (RuntimeError, TimeoutError):
            return False
        finally:
            client.stop_channels()
        return bool(reply["content"]["status"] == "ok")

    async def _stop(self) -> None:
        manager, self._manager = self._manager, None
        await manager.shutdown_kernel(now=True)


class Task(NamedTuple):
    """Something to be made with a kernel, under the name that people know it by."""

    name: str
    make: Callable[[NotebookKernel], list[Path]]


class Outcome(NamedTuple):
    """What came of a task: its files, or why there are none."""

    name: str
    made: Sequence[Path]
    error: str


def _give_back_memory() -> None:
    """Return to the system what is free: the tables are made, and the kernels need it next.

    Arrow and the C library keep what was freed for a later need; after a week's tables of twelve
    years of records that is half a gigabyte.
    """
    import pyarrow

    gc.collect()
    pyarrow.default_memory_pool().release_unused()
    # Only the GNU C library has this; elsewhere the system takes it back when it must.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def side_by_side(tasks: Sequence[Task], home: Home, at_once: int) -> Iterator[Outcome]:
    """Do tasks in a few threads, each with a kernel of its own; give each as it is done.

    Parameters
    ----------
    tasks
        Begun in this order: the longest first keeps all threads busy to the end.
    home
        The checkout of the kernels.
    at_once
        How many threads.

    Yields
    ------
    Outcome
        One a task. A task that fails does not keep the others from being done; an error that is
        no person's mistake is told with its trace.
    """
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    given_up = threading.Event()

    def work() -> None:
        with NotebookKernel(home) as kernel:
            while not given_up.is_set():
                try:
                    task = waiting.get_nowait()
                except queue.Empty:
                    return
                done.put(_outcome(task, kernel))

    count = min(at_once, len(tasks))
    if count:
        _give_back_memory()
    threads = [threading.Thread(target=work, name=f"notebooks-{n}") for n in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            yield done.get()
    finally:
        # Where the run is canceled, the notebook in hand is the last.
        given_up.set()
        for thread in threads:
            thread.join()


def _outcome(task: Task, kernel: NotebookKernel) -> Outcome:
    try:
        return Outcome(task.name, task.make(kernel), "")
    except BeatbookError as error:
        return Outcome(task.name, [], str(error))
    except Exception:
        trace = traceback.format_exc()
        return Outcome(task.name, [], f"A fault of Beatbook. Please report it with this:\n{trace}")


def _manager_class() -> Any:
    from jupyter_client.manager import AsyncKernelManager

    class _Manager(AsyncKernelManager):
        """Closes the channels of each notebook when the next one, or the end, comes."""

        _open: Any = None

        def client(self, **options: Any) -> Any:
            if self._open is not None:
                self._open.stop_channels()
            self._open = super().client(**options)
            return self._open

        async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]
            if self._open is not None:
                self._open.stop_channels()
                self._open = None
            await super().cleanup_resources(restart)

    return _Manager
