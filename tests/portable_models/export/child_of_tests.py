"""A child for the tests of ``children``: does what each job's ``act`` says."""

import json
import os
import sys
import time
from pathlib import Path

from portable_models.export.children import write_answer

if __name__ == "__main__":
    for job in json.loads(Path(sys.argv[1]).read_text())["jobs"]:
        if job["act"] == "crash":
            print("about to crash")
            sys.stdout.flush()
            os._exit(7)
        if job["act"] == "abort":
            os.abort()
        if job["act"] == "hang":
            time.sleep(60)
        write_answer(Path(job["result"]), {"status": "done", "pid": os.getpid()})
